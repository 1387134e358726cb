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

/// Without newlines at the end, as JSON has messages.
inline std::string_view without_newlines(std::string_view text) {
    return text.substr(0, text.find_last_not_of('\n') + 1);
}

/// Appends text as a JSON string with quotes. Each invalid byte or sequence of UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// A line of JSON on stdout: an object whose members are added one after the other.
///
/// Written in parts as a buffer fills, so a record may have any length. Names must be constants, because they are not
/// escaped.
class JsonRecord {
public:
    /// Starts a record of `type` about a command. `lines` is incremented when the record is written to stdout.
    void begin(std::string_view type, std::string_view command, uint64_t& lines);

    /// Adds a member to the open object.
    template <typename T>
    void add(std::string_view name, const T& value) {
        begin_member(name);
        put(value);
    }
    /// Adds bytes as one hexadecimal string.
    void add_hex(std::string_view name, const uint8_t* data, uint64_t length);

    /// Starts a member that is an object. Members until end() belong to it.
    void begin_object(std::string_view name);
    /// Starts a member that is a list. It ends when another member is added.
    void begin_list(std::string_view name);
    /// Starts a list element that is an object, until end().
    void begin_element();
    template <typename T>
    void add_element(const T& value) {
        separate();
        put(value);
    }
    void end();

    /// Records why the command failed. Of several failures, the first sets the errno; the messages are joined.
    void add_failure(int code, std::string_view kind, std::string_view message, std::string_view reason);
    /// Adds details of the failure: a cause as `why` names it, words, and the members that `more` adds.
    void explain_failure(std::string_view cause, std::string_view explanation, std::function<void(JsonRecord&)> more) {
        explained_ = Explained{cause, std::string(explanation), std::move(more)};
    }
    void add_warning(std::string_view text) { warnings_.emplace_back(text); }
    /// Adds text to the member `output`, for commands without facts.
    void add_text(std::string_view text) { text_ += text; }

    /// Ends the record and its line.
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

    std::string head_; ///< text from the type up to what begin() adds
    std::string body_;
    uint64_t* lines_ = nullptr;
    bool is_begun_ = false; ///< a part is on stdout already
    char last_ = '{';       ///< last character written, which decides about commas
    int depth_ = 0;         ///< number of open objects, without the record itself
    bool list_is_open_ = false;
    std::optional<Failure> failure_;
    std::optional<Explained> explained_;
    std::vector<std::string> warnings_;
    std::string text_;
};

} // namespace zoneio
