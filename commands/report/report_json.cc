// SPDX-License-Identifier: GPL-3.0-or-later
//
// The JSON half of the Reporter, and functions that choose between text and JSON.
#include "commands/report/report.h"

#include "commands/text/safe_text.h"

#include <deque>
#include <getopt.h>
#include <unistd.h>

namespace zoneio {

/// Writes records to stdout, one a line, numbered from 1. While a record is open, others may start and finish (commands
/// of a script, asynchronous requests); they are written before it.
class JsonOutput {
public:
    /// Starts a record. Facts until end() belong to it.
    JsonRecord& begin(std::string_view type, std::string_view command) {
        if (open_ == records_.size()) {
            records_.emplace_back();
        }
        JsonRecord& record = records_[open_++];
        record.begin(type, command, lines_);
        return record;
    }
    void end(bool ok) { records_[--open_].finish(ok); }

    /// The innermost open record, or null.
    JsonRecord* current() { return open_ == 0 ? nullptr : &records_[open_ - 1]; }

private:
    std::deque<JsonRecord> records_; ///< reused for their memory; the first open_ are in use
    size_t open_ = 0;
    uint64_t lines_ = 0;
};

namespace {

/// An option letter that no line has; optopt then shows whether getopt(3) has complained.
constexpr char no_option = '\1';

/// Resets optopt, in which getopt(3) keeps its last complaint.
void forget_getopt_complaint() {
    char program[] = "";
    char option[] = {'-', no_option, '\0'};
    char* words[] = {program, option, nullptr};
    optind = 0;
    (void)getopt(2, words, "");
}

} // namespace

Reporter::Reporter(std::string program, FailureLog* failures) : program_(std::move(program)), failures_(failures) {}

Reporter::~Reporter() = default;

void Reporter::use_json() {
    json_ = std::make_unique<JsonOutput>();
    // getopt's messages would mix with the records; usage() has their text.
    opterr = 0;
}

JsonRecord* Reporter::open_record() {
    return json_->current();
}

void Reporter::begin_command(std::string_view name, std::span<char* const> words, std::string_view script, uint64_t line) {
    if (json_ == nullptr) {
        return;
    }
    forget_getopt_complaint();
    JsonRecord& record = json_->begin("command", name);
    record.begin_list("argv");
    for (const char* word : words) {
        record.add_element(word);
    }
    if (!script.empty()) {
        record.begin_object("at");
        record.add("file", script);
        record.add("line", line);
        record.end();
    }
}

void Reporter::begin_program(std::span<char* const> words) {
    if (json_ == nullptr) {
        return;
    }
    JsonRecord& record = json_->begin("program", program_);
    record.begin_list("argv");
    for (const char* word : words) {
        record.add_element(word);
    }
}

void Reporter::begin_completion(std::string_view name, uint64_t id) {
    if (json_ != nullptr) {
        json_->begin("completion", name).add("aio", id);
    }
}

void Reporter::end_command(bool ok) {
    // A failure within a command has been explained there.
    if (!ok && explainer_ && failures_ != nullptr && failures_->count() != explained_) {
        explained_ = failures_->count();
        explainer_(json_record());
    }
    if (json_ == nullptr) {
        return;
    }
    json_->end(ok);
    if (ferror_unlocked(stdout) != 0) {
        note_lost_output();
    }
}

void Reporter::begin_list(std::string_view name) {
    if (JsonRecord* const record = json_record()) {
        record->begin_list(name);
    }
}

void Reporter::keep_text(std::string_view text) {
    JsonRecord* const record = open_record();
    // stdout is reserved for records.
    record != nullptr ? record->add_text(text) : (void)fwrite(text.data(), 1, text.size(), stderr);
}

bool Reporter::record_failure(Kind kind, int code, std::string_view text, std::string_view reason) {
    static constexpr std::string_view kinds[] = {"usage", "failed", "mismatch", "interrupted"};
    JsonRecord* const record = json_record();
    if (record != nullptr) {
        record->add_failure(code, kinds[static_cast<size_t>(kind)], text, reason);
    }
    return record != nullptr;
}

void Reporter::note(const FailureReason& reason, const Status& status) const {
    if (failures_ != nullptr) {
        failures_->note(reason, status);
    }
}

Outcome Reporter::say_failure(Kind kind, const Status& status, std::string_view text) {
    if (json_ == nullptr) {
        write(for_terminal(STDOUT_FILENO, text));
    } else if (!record_failure(kind, status.code(), text, status.message())) {
        print_error_line({}, {}, text);
    }
    return Outcome::failed;
}

Outcome Reporter::fail_as(const Status& status, std::string_view text) {
    note({}, status);
    return say_failure(Kind::failed, status, text);
}

Outcome Reporter::fail_silently(const Status& status) {
    note({}, status);
    record_failure(Kind::failed, status.code(), status.message(), status.message());
    return Outcome::failed;
}

Outcome Reporter::complain_as(const FailureReason& reason, const Status& status, std::string_view text) {
    const Status complaint = Status::invalid(std::string(without_newlines(text)));
    note(reason, status.ok() ? complaint : status);
    return say_failure(Kind::usage, complaint, text);
}

Outcome Reporter::usage(std::string_view line, const char* options) {
    note({FailureKind::usage}, Status::from_errno(EINVAL));
    if (json_ == nullptr) {
        write(line);
        write("\n");
        return Outcome::failed;
    }
    const bool is_content = optopt == no_option;
    record_failure(Kind::usage, EINVAL, line,
                   is_content ? "options or operands that the command does not take" : getopt_complaint(options));
    return Outcome::failed;
}

Outcome Reporter::fail_explained(std::string_view what, const Status& status) {
    note({}, status);
    const std::string plain = Status::from_errno(status.code()).message();
    const std::string text = fmt::format("{} failed: {}\n", what, plain);
    if (record_failure(Kind::failed, status.code(), text, status.message())) {
        return Outcome::failed;
    }
    if (status.has_text()) {
        print_error_line(program_, ": ", status.message());
    }
    write(text);
    return Outcome::failed;
}

Outcome Reporter::differ(std::string_view text) {
    note({}, Status::error(EILSEQ, std::string(without_newlines(text))));
    if (!record_failure(Kind::mismatch, 0, text, text)) {
        write(text);
    }
    return Outcome::failed;
}

Outcome Reporter::interrupted(std::string_view what, uint64_t offset, uint64_t done, uint64_t total) {
    if (JsonRecord* const record = json_record()) {
        record->begin_object("done");
        record->add("offset", offset);
        record->add("bytes", done);
        record->end();
    }
    return interrupted(fmt::format("{} interrupted: {}/{} bytes at offset {}", what, done, total, offset));
}

Outcome Reporter::interrupted(std::string_view text) {
    note({FailureKind::interrupted}, Status::error(EINTR, std::string(text)));
    if (!record_failure(Kind::interrupted, EINTR, text, "interrupted by the user")) {
        write(text);
        write("\n");
    }
    return Outcome::failed;
}

Outcome Reporter::error(const FailureReason& reason, std::string_view text) {
    return say_error(Kind::usage, reason, Status::invalid(std::string(text)), true, text);
}

Outcome Reporter::error(const FailureReason& reason, const Status& status, std::string_view text) {
    return say_error(Kind::failed, reason, status, true, text);
}

Outcome Reporter::plain_error(const FailureReason& reason, std::string_view text, int code) {
    return say_error(Kind::usage, reason, Status::error(code, std::string(text)), false, text);
}

Outcome Reporter::say_error(Kind kind, const FailureReason& reason, const Status& status, bool names_program, std::string_view text) {
    note(reason, status);
    if (!record_failure(kind, status.code(), text, status.message())) {
        print_error_line(names_program ? program_ : "", names_program ? ": " : "", text);
    }
    return Outcome::failed;
}

void Reporter::remark(std::string_view program, std::string_view separator, std::string_view text) {
    if (JsonRecord* const record = json_record()) {
        record->add_warning(text);
        return;
    }
    print_error_line(program, separator, text);
}

void Reporter::record_request(JsonRecord& record, const RequestReport& report) const {
    record.begin_object("request");
    record.add("offset", report.offset);
    record.add("bytes", report.bytes);
    if (deterministic_) {
        record.add("elapsed_ns", nullptr);
        record.add("bytes_per_second", nullptr);
        record.add("ops_per_second", nullptr);
    } else {
        const double seconds = static_cast<double>(std::max<int64_t>(report.elapsed.count(), 1)) / 1e9;
        record.add("elapsed_ns", report.elapsed.count());
        record.add("bytes_per_second", static_cast<double>(report.bytes) / seconds);
        record.add("ops_per_second", 1.0 / seconds);
    }
    record.end();
}

} // namespace zoneio
