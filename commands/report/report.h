// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/formatting.h"
#include "commands/report/failure.h"
#include "commands/report/json_record.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

class JsonOutput;

/// What there is to say about a finished request.
struct RequestReport {
    std::string_view verb;               ///< `read`, `wrote`, `discard`, `discarded `
    uint64_t offset = 0;                 ///< bytes
    uint64_t bytes = 0;                  ///< done; a request is never done in part
    std::chrono::nanoseconds elapsed{0};
};

/// Shows what commands have to say: as text, byte for byte as qemu-io does, or as JSON, one record a command.
///
/// As text, results go to stdout in its default buffering, and errors of the kind that carries the program's name to
/// stderr. As JSON everything goes into the record of the command, on stdout.
///
/// To report a failure also notes it for `why`: its Status, and the FailureReason where one is given.
class Reporter {
public:
    /// `failures`: where failures are noted; null where nobody asks for them.
    explicit Reporter(std::string program, FailureLog* failures = nullptr);
    ~Reporter();
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    /// The name in front of errors and in the prompt.
    const std::string& program() const { return program_; }

    /// Times and rates are shown as XX, in the form that golden files of QEMU's suites hold, and so are process ids; in
    /// JSON times and rates are null.
    void set_deterministic(bool deterministic) { deterministic_ = deterministic; }
    bool is_deterministic() const { return deterministic_; }
    /// From now on JSON.
    void use_json();
    bool is_json() const { return json_ != nullptr; }

    /// A fact has two faces, `void text(Reporter& out) const` and `void json(JsonRecord& record) const`: this shows it by
    /// the one that is wanted.
    template <typename Fact>
    void tell(const Fact& fact) {
        if (JsonRecord* const record = json_record()) {
            fact.json(*record);
        } else {
            fact.text(*this);
        }
    }
    /// The facts told from here on are elements of this list of the record; text knows no lists.
    void begin_list(std::string_view name);

    /// A piece of a result as text, on stdout. JSON has it as `output`, where facts are better.
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

    /// Why a command fails, on stdout.
    template <typename... Args>
    void fail(const Status& status, fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        append_text(text, format, std::forward<Args>(args)...);
        fail_as({}, status, {text.data(), text.size()});
    }
    /// The same where only JSON has words for it: qemu-io lets these commands fail in silence.
    void fail_silently(const Status& status);
    /// What is wrong with the words of a command, on stdout.
    template <typename... Args>
    void complain(const FailureReason& reason, fmt::format_string<Args...> format, Args&&... args) {
        complain(reason, Status(), format, std::forward<Args>(args)...);
    }
    /// The same; the status says more than the text.
    template <typename... Args>
    void complain(const FailureReason& reason, const Status& status, fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        append_text(text, format, std::forward<Args>(args)...);
        complain_as(reason, status, {text.data(), text.size()});
    }
    template <typename... Args>
    void complain(fmt::format_string<Args...> format, Args&&... args) {
        complain(FailureReason(), format, std::forward<Args>(args)...);
    }
    /// The usage line of a command, for options and operands that make no sense; `options` as getopt(3) was given them.
    void usage(std::string_view line, const char* options);
    /// `WHAT failed: ...`, with the explanation, if the status has one, on stderr.
    void fail_explained(std::string_view what, const Status& status);
    /// What was read is not what was expected.
    void mismatch(const DataMismatch& mismatch);
    /// Two images are not equal; `text` says how, in lines for stdout.
    void differ(std::string_view text);

    /// A command was ended by the user, after `done` of `total` bytes; on stdout.
    void interrupted(std::string_view what, uint64_t offset, uint64_t done, uint64_t total);
    /// The same about something else; `text` says how far it came.
    void interrupted(std::string_view text);

    /// `PROGRAM: TEXT` on stderr, about words that make no sense. At a terminal, control characters in the text are shown
    /// as `\xHH`; so are those below.
    void error(std::string_view text) { error(FailureReason(), text); }
    void error(const FailureReason& reason, std::string_view text);
    /// The same about what went wrong; without a text, that of the status.
    void error(const Status& status) { error({}, status, status.message()); }
    void error(const Status& status, std::string_view text) { error({}, status, text); }
    void error(const FailureReason& reason, const Status& status) { error(reason, status, status.message()); }
    void error(const FailureReason& reason, const Status& status, std::string_view text);
    /// A line on stderr as it is; `code` is an errno.
    void plain_error(std::string_view text, int code = EINVAL) { plain_error({}, text, code); }
    void plain_error(const FailureReason& reason, std::string_view text, int code = EINVAL);
    /// `PROGRAM: warning: TEXT` on stderr.
    void warning(std::string_view text);
    /// `PROGRAM: TEXT` on stderr, where nothing failed.
    void notice(std::string_view text);
    /// The same without the program's name.
    void plain_notice(std::string_view text);

    /// The two lines about a request, or its one line for machines (-C).
    void request(const RequestReport& report, bool for_machines);
    /// Bytes as hex and text, 16 a line; `offset` is that of the first.
    void dump(const uint8_t* data, uint64_t length, uint64_t offset);

    /// Makes everything said so far visible.
    void flush() {
        if (fflush(stdout) != 0) {
            note_lost_output();
        } else {
            holds_own_ = is_own_;
        }
    }

    /// Is it a command of zoneio's own whose output follows? qemu-io does not notice that its output is lost, and scripts
    /// count on that; what zoneio adds does.
    void set_own(bool own) {
        is_own_ = own;
        holds_own_ = holds_own_ || own;
    }
    /// The errno of the first write to stdout that lost output of zoneio's own; 0: none did. Flushes.
    int lost_output();
    /// The reader of the output so far need not have read it.
    void forget_lost_output() { lost_output_ = 0; }

    /// The same with this at its end. Where nothing else waits stdio is left out: it is half of what that costs.
    void write_now(std::string_view text);

    /// Around what is said about a command, for JSON: its name, its words as typed, and the script that it is in.
    void begin_command(std::string_view name, std::span<char* const> words, std::string_view script, uint64_t line);
    /// The same about the program itself.
    void begin_program(std::span<char* const> words);
    /// The same for an asynchronous request that has finished; `id` is what its command said.
    void begin_completion(std::string_view name, uint64_t id);
    void end_command(bool ok);

private:
    enum class Kind : uint8_t { usage, failed, mismatch, interrupted };

    JsonRecord* json_record() { return json_ == nullptr ? nullptr : open_record(); }
    JsonRecord* open_record();
    void note_lost_output();
    void keep_text(std::string_view text);
    void fail_as(const FailureReason& reason, const Status& status, std::string_view text);
    void complain_as(const FailureReason& reason, const Status& status, std::string_view text);
    void say_failure(Kind kind, const Status& status, std::string_view text);
    void note(const FailureReason& reason, const Status& status) const;
    /// True when the record of a command took it.
    bool record_failure(Kind kind, int code, std::string_view text, std::string_view reason);
    void request_without_times(const RequestReport& report, bool for_machines);
    void record_request(JsonRecord& record, const RequestReport& report) const;

    std::string program_;
    FailureLog* failures_;
    bool deterministic_ = false;
    bool is_own_ = false;
    bool holds_own_ = false; ///< output of our own may be in stdout's buffer
    int lost_output_ = 0;
    std::unique_ptr<JsonOutput> json_;
};

} // namespace zoneio
