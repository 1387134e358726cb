// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/formatting.h"
#include "commands/report/failure.h"
#include "commands/report/json_record.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

class JsonOutput;

/// Result of a command; `quit` ends the program.
enum class Outcome { ok, failed, quit };

/// The data of a report about a finished request.
struct RequestReport {
    std::string_view verb;               ///< `read`, `wrote`, `discard`, `discarded `
    uint64_t offset = 0;                 ///< bytes
    uint64_t bytes = 0;                  ///< bytes transferred; requests are never partial
    std::chrono::nanoseconds elapsed{0};
};

/// Prints the results of commands: as text, byte for byte like qemu-io, or as JSON, one record per command.
///
/// Text results go to stdout in its default buffering; errors that start with the program's name go to stderr. In JSON
/// everything goes into the record of the command, on stdout.
///
/// Functions that report a failure also note its Status and FailureReason for `why`, and return Outcome::failed.
class Reporter {
public:
    /// `failures` receives the failures; null discards them.
    explicit Reporter(std::string program, FailureLog* failures = nullptr);
    ~Reporter();
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    /// The program's name in errors and in the prompt.
    const std::string& program() const { return program_; }

    /// Replaces times, rates and process ids by XX, as in the golden files of QEMU's suites. In JSON times and rates
    /// become null.
    void set_deterministic(bool deterministic) { deterministic_ = deterministic; }
    bool is_deterministic() const { return deterministic_; }
    /// Switches from text to JSON.
    void use_json();
    bool is_json() const { return json_ != nullptr; }

    /// Prints a fact by its member `void text(Reporter& out) const` or, in JSON, `void json(JsonRecord& record) const`.
    /// Every fact has both.
    template <typename Fact>
    void tell(const Fact& fact) {
        if (JsonRecord* const record = json_record()) {
            fact.json(*record);
        } else {
            fact.text(*this);
        }
    }
    /// Starts a list in the JSON record. Does nothing for text.
    void begin_list(std::string_view name);
    /// Prints a fact as an element of that list.
    template <typename Fact>
    void tell_element(const Fact& fact) {
        if (JsonRecord* const record = json_record()) {
            record->begin_element();
            fact.json(*record);
            record->end();
        } else {
            fact.text(*this);
        }
    }
    /// Adds a member to the JSON record that text does not show.
    template <typename T>
    void add(std::string_view name, const T& value) {
        if (JsonRecord* const record = json_record()) {
            record->add(name, value);
        }
    }

    /// Prints text on stdout. In JSON it becomes part of the member `output`; prefer facts.
    template <typename... Args>
    void print(fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        append_text(text, format, std::forward<Args>(args)...);
        write({text.data(), text.size()});
    }
    void write(std::string_view text) {
        if (json_ != nullptr) {
            keep_text(text);
            return;
        }
        if (fwrite_unlocked(text.data(), 1, text.size(), stdout) != text.size()) {
            note_lost_output();
        }
    }

    /// Reports a failed command on stdout.
    template <typename... Args>
    Outcome fail(const Status& status, fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        append_text(text, format, std::forward<Args>(args)...);
        return fail_as(status, {text.data(), text.size()});
    }
    /// Reports a failed command in JSON only, because qemu-io prints nothing when these commands fail.
    Outcome fail_silently(const Status& status);
    /// Reports wrong words of a command on stdout.
    template <typename... Args>
    Outcome complain(const FailureReason& reason, fmt::format_string<Args...> format, Args&&... args) {
        return complain(reason, Status(), format, std::forward<Args>(args)...);
    }
    /// Likewise, with a status that has more details than the text.
    template <typename... Args>
    Outcome complain(const FailureReason& reason, const Status& status, fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        append_text(text, format, std::forward<Args>(args)...);
        return complain_as(reason, status, {text.data(), text.size()});
    }
    template <typename... Args>
    Outcome complain(fmt::format_string<Args...> format, Args&&... args) {
        return complain(FailureReason(), format, std::forward<Args>(args)...);
    }
    /// Reports wrong options or operands with the usage line; `options`: the option letters as given to getopt(3).
    Outcome usage(std::string_view line, const char* options);
    /// Prints `WHAT failed: ...`; first, on stderr, the explanation in the status, if it has one.
    Outcome fail_explained(std::string_view what, const Status& status);
    /// Reports data that differs from the expected pattern.
    void mismatch(const DataMismatch& mismatch);
    /// Reports that two images differ; `text`: lines for stdout.
    Outcome differ(std::string_view text);

    /// Reports on stdout that the user interrupted a command after `done` of `total` bytes.
    Outcome interrupted(std::string_view what, uint64_t offset, uint64_t done, uint64_t total);
    /// Likewise for work not counted in bytes; `text` includes the progress.
    Outcome interrupted(std::string_view text);

    /// Prints `PROGRAM: TEXT` on stderr, about wrong words. This and the functions below print control characters as `\xHH`
    /// on a terminal.
    Outcome error(std::string_view text) { return error(FailureReason(), text); }
    Outcome error(const FailureReason& reason, std::string_view text);
    /// Likewise about a failed operation; without `text`, prints the message of the status.
    Outcome error(const Status& status) { return error({}, status, status.message()); }
    Outcome error(const Status& status, std::string_view text) { return error({}, status, text); }
    Outcome error(const FailureReason& reason, const Status& status) { return error(reason, status, status.message()); }
    Outcome error(const FailureReason& reason, const Status& status, std::string_view text);
    /// Prints a line on stderr without the program's name; `code` is an errno.
    Outcome plain_error(std::string_view text, int code = EINVAL) { return plain_error({}, text, code); }
    Outcome plain_error(const FailureReason& reason, std::string_view text, int code = EINVAL);
    /// Prints `PROGRAM: warning: TEXT` on stderr.
    void warning(std::string_view text) { remark(program_, ": warning: ", text); }
    /// Prints `PROGRAM: TEXT` on stderr without reporting a failure.
    void notice(std::string_view text) { remark(program_, ": ", text); }
    /// Likewise without the program's name.
    void plain_notice(std::string_view text) { remark({}, {}, text); }

    /// Prints a report in two lines or, `for_machines` (-C), as one line of numbers.
    void request(const RequestReport& report, bool for_machines);
    /// Prints bytes as hex and text, 16 per line; `offset`: of the first byte in the image.
    void dump(const uint8_t* data, uint64_t length, uint64_t offset);

    /// Flushes stdout.
    void flush() {
        if (fflush(stdout) != 0) {
            note_lost_output();
        } else {
            holds_own_ = is_own_;
        }
    }

    /// Call with true before the output of a command that only zoneio has, with false before that of qemu-io's commands.
    /// Output that cannot be written is an error for zoneio's own commands only; qemu-io ignores it.
    void set_own(bool own) {
        is_own_ = own;
        holds_own_ = holds_own_ || own;
    }
    /// Flushes. Returns the errno of the first write to stdout that lost output of zoneio's own commands; 0 if none did.
    int lost_output();
    /// Ignores output lost so far. For readers that may stop early, such as a pager.
    void forget_lost_output() { lost_output_ = 0; }

    /// Prints text and flushes. Bypasses stdio if its buffer is empty, which halves the cost.
    void write_now(std::string_view text);

    /// Starts the JSON record of a command: its name, its words as typed, its script and line.
    void begin_command(std::string_view name, std::span<char* const> words, std::string_view script, uint64_t line);
    /// Starts the JSON record about the program itself.
    void begin_program(std::span<char* const> words);
    /// Starts the JSON record of a finished asynchronous request; `id`: the number that its command reported.
    void begin_completion(std::string_view name, uint64_t id);
    /// Sets a function that is called at the end of each failed command or request. Its failure is then the last one in
    /// the FailureLog. The function gets the JSON record of the command, or null in text mode.
    void set_explainer(std::function<void(JsonRecord* record)> explainer) { explainer_ = std::move(explainer); }
    void end_command(bool ok);

private:
    enum class Kind : uint8_t { usage, failed, mismatch, interrupted };

    JsonRecord* json_record() { return json_ == nullptr ? nullptr : open_record(); }
    JsonRecord* open_record();
    void note_lost_output();
    void keep_text(std::string_view text);
    Outcome fail_as(const Status& status, std::string_view text);
    Outcome complain_as(const FailureReason& reason, const Status& status, std::string_view text);
    Outcome say_failure(Kind kind, const Status& status, std::string_view text);
    Outcome say_error(Kind kind, const FailureReason& reason, const Status& status, bool names_program, std::string_view text);
    void remark(std::string_view program, std::string_view separator, std::string_view text);
    void note(const FailureReason& reason, const Status& status) const;
    /// True if the failure went into the record of a command.
    bool record_failure(Kind kind, int code, std::string_view text, std::string_view reason);
    void request_without_times(const RequestReport& report, bool for_machines);
    void record_request(JsonRecord& record, const RequestReport& report) const;

    std::string program_;
    FailureLog* failures_;
    std::function<void(JsonRecord* record)> explainer_;
    uint64_t explained_ = 0; ///< number of failures explained
    bool deterministic_ = false;
    bool is_own_ = false;
    bool holds_own_ = false; ///< stdout's buffer may hold output of zoneio's own commands
    int lost_output_ = 0;
    std::unique_ptr<JsonOutput> json_;
};

} // namespace zoneio
