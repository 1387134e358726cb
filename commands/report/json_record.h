// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Appends text as a JSON string, quotes included. What is no UTF-8 becomes U+FFFD, a byte or sequence at a time.
void append_json_string(std::string& out, std::string_view text);

/// One line of JSON being written to stdout: an object whose members are added one after the other.
///
/// What is complete leaves memory whenever a buffer's worth has come together, so a record may be of any length.
/// Names must be known at compile time: they are written as they are.
class JsonRecord {
public:
    /// Begins a record of `type` about a command; `lines` counts those that were written to stdout.
    void begin(std::string_view type, std::string_view command, uint64_t& lines);

    /// A member of the object that is open.
    template <typename T>
    void add(std::string_view name, const T& value) {
        begin_member(name);
        put(value);
    }
    /// Bytes as one long hexadecimal string.
    void add_hex(std::string_view name, const uint8_t* data, uint64_t length);

    /// A member that is an object: what is added up to end() belongs to it.
    void begin_object(std::string_view name);
    /// A member that is a list. Its elements may be added as long as no other member is.
    void begin_list(std::string_view name);
    /// An element that is an object, up to end().
    void begin_element();
    template <typename T>
    void add_element(const T& value) {
        separate();
        put(value);
    }
    void end();

    /// Why the command failed. Of several, the first names the errno, the messages are one after the other.
    void add_failure(int code, std::string_view kind, std::string_view message, std::string_view reason);
    /// More about that: a cause as `why` names it, words, and what `more` adds to the error.
    void explain_failure(std::string_view cause, std::string_view explanation, std::function<void(JsonRecord&)> more) {
        explained_ = Explained{cause, std::string(explanation), std::move(more)};
    }
    void add_warning(std::string_view text) { warnings_.emplace_back(text); }
    /// Text of a command that has nothing better to say.
    void add_text(std::string_view text) { text_ += text; }

    /// Completes the line.
    void finish(bool ok);

private:
    struct Failure {
        int code;
        std::string_view kind;
        std::string message;
        std::string reason;
    };

    struct Explained {
        std::string_view cause;
        std::string explanation;
        std::function<void(JsonRecord&)> more;
    };

    void begin_member(std::string_view name);
    void separate();
    void close_list();
    void put(std::string_view text);
    void put(const char* text) { put(std::string_view(text)); }
    void put(const std::string& text) { put(std::string_view(text)); }
    void put(double value);
    void put(bool value);
    void put(std::nullptr_t) { put_raw("null"); }
    template <std::unsigned_integral T>
    void put(T value) {
        put_number(value);
    }
    template <std::signed_integral T>
    void put(T value) {
        put_signed(value);
    }
    template <typename T>
    void put(const std::optional<T>& value) {
        value ? put(*value) : put(nullptr);
    }
    void put_number(uint64_t value);
    void put_signed(int64_t value);
    void put_raw(std::string_view json);
    void add_outcome(bool ok);
    void write_out();

    std::string head_; ///< from the type up to what begin() says
    std::string body_;
    uint64_t* lines_ = nullptr;
    bool is_begun_ = false; ///< on stdout
    char last_ = '{';       ///< the last character, for commas
    int depth_ = 0;         ///< of open objects, the record itself not counted
    bool list_is_open_ = false;
    std::optional<Failure> failure_;
    std::optional<Explained> explained_;
    std::vector<std::string> warnings_;
    std::string text_;
};

} // namespace zoneio
