// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/control/script.h"

#include "commands/export/signals.h"
#include "commands/families.h"
#include "commands/long_work.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>

namespace zoneio {

namespace {

constexpr size_t most_nested = 16;

/// Lines of a file, without newline, zero-terminated and modifiable.
class ScriptFile {
public:
    explicit ScriptFile(const std::string& name) : file_(fopen(name.c_str(), "re")) {}
    ~ScriptFile() {
        if (file_ != nullptr) {
            fclose(file_);
        }
    }
    ScriptFile(const ScriptFile&) = delete;
    ScriptFile& operator=(const ScriptFile&) = delete;

    bool is_open() const { return file_ != nullptr; }
    int descriptor() const { return fileno(file_); }

    /// Reads the next line. False at the end of the file or after an error, see status().
    bool next() {
        line_.clear();
        number_++;
        int c = 0;
        while ((c = getc_unlocked(file_)) != EOF && c != '\n') {
            if (line_.size() == longest_line) {
                status_ = Status::error(EFBIG, fmt::format("line {} is longer than {} bytes; the file is not a script", number_, longest_line));
                return false;
            }
            line_.push_back(static_cast<char>(c));
        }
        if (c == EOF && ferror(file_) != 0) {
            status_ = Status::from_errno(errno);
        }
        if (c == EOF && (line_.empty() || !status_.ok())) {
            return false;
        }
        while (line_.ends_with('\r')) {
            line_.pop_back();
        }
        if (number_ == 1 && line_.starts_with(byte_order_mark)) {
            line_.erase(0, byte_order_mark.size());
        }
        return true;
    }
    char* text() { return line_.data(); }
    size_t length() const { return line_.size(); }
    /// Number of the line, from 1.
    uint64_t number() const { return number_; }
    const Status& status() const { return status_; }

private:
    static constexpr size_t longest_line = 1U << 20;
    /// Some editors put it at the start of a UTF-8 text.
    static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

    FILE* file_;
    std::string line_;
    uint64_t number_ = 0;
    Status status_;
};

/// Converts a line of a script to the form of the prompt: removes the comment, and replaces tabs by spaces.
void simplify(char* line) {
    for (char* at = line; *at != '\0'; at++) {
        if (*at == '\t') {
            *at = ' ';
        }
        if (*at == '#' && (at == line || at[-1] == ' ')) {
            *at = '\0';
            return;
        }
    }
}

/// The running scripts, outermost first: `a:3, b:1`.
std::string where(const std::vector<RunningScript>& scripts) {
    std::string text;
    for (const RunningScript& script : scripts) {
        text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", script.name, script.line);
    }
    return text;
}

/// Puts a script on the session's stack while its commands run. Refuses scripts that must not run inside the running
/// ones.
class StackedScript {
public:
    StackedScript(Session& session, const std::string& name, int descriptor) : scripts_(session.scripts()) {
        struct stat st{};
        if (fstat(descriptor, &st) < 0) {
            refusal_ = Status::from_errno(errno);
            return;
        }
        for (const RunningScript& script : scripts_) {
            if (script.device == st.st_dev && script.inode == st.st_ino) {
                refusal_ = Status::error(ELOOP, "is already running: " + where(scripts_));
                return;
            }
        }
        if (scripts_.size() == most_nested) {
            refusal_ = Status::error(
                ELOOP, fmt::format("more than {} scripts inside each other: {}", most_nested, where(scripts_)));
            return;
        }
        scripts_.push_back({name, st.st_dev, st.st_ino, 0});
    }
    ~StackedScript() {
        if (refusal_.ok()) {
            scripts_.pop_back();
        }
    }
    StackedScript(const StackedScript&) = delete;
    StackedScript& operator=(const StackedScript&) = delete;

    /// Why the script was refused.
    const Status& refusal() const { return refusal_; }
    RunningScript& script() { return scripts_.back(); }

private:
    std::vector<RunningScript>& scripts_;
    Status refusal_;
};

Outcome refuse(Session& session, const std::string& name, const Status& why) {
    return session.out().error(why, fmt::format("source: {}: {}", name, why.message()));
}

/// Reports the line of a failed command. In JSON, the command's record has it. `line`: as the command left it, with
/// zero bytes between its words.
void report_failed_line(Session& session, const RunningScript& script, char* line, size_t length) {
    if (session.out().is_json()) {
        return;
    }
    std::replace(line, line + length, '\0', ' ');
    session.out().flush();
    session.out().error(fmt::format("{}:{}: command failed: {}", script.name, script.line, std::string_view(line, length)));
}

/// Reports, for JSON only, that commands of a script failed; in text, each has been reported.
struct FailedCommandsFact {
    uint64_t count;

    void text(Reporter& /*out*/) const {}
    void json(JsonRecord& record) const {
        const std::string message = fmt::format("commands of the script that failed: {}", count);
        record.add_failure(0, "failed", message, message);
    }
};

Outcome run_file(Session& session, const std::string& name) {
    ScriptFile file(name);
    if (!file.is_open()) {
        return refuse(session, name, Status::from_errno(errno));
    }
    StackedScript stacked(session, name, file.descriptor());
    if (!stacked.refusal().ok()) {
        return refuse(session, name, stacked.refusal());
    }
    CommandSequence sequence(session);
    uint64_t failed_lines = 0;
    bool goes_on = true;
    while (goes_on && file.next()) {
        stacked.script().line = file.number();
        // The user's interrupt applies to the command that runs the scripts, and so to all of their commands.
        if (InterruptEndsCommand::is_requested()) {
            return session.out().interrupted(fmt::format("source interrupted before {}:{}", name, file.number()));
        }
        if (strlen(file.text()) != file.length()) {
            return refuse(session, fmt::format("{}:{}", name, stacked.script().line),
                          Status::error(EILSEQ, "the file has a zero byte; it is not text"));
        }
        simplify(file.text());
        const size_t length = strlen(file.text());
        const uint64_t failures = session.failed_commands;
        goes_on = sequence.run(file.text());
        if (session.failed_commands != failures) {
            failed_lines++;
            report_failed_line(session, stacked.script(), file.text(), length);
        }
        session.out().flush();
        // A failed line has reported the interrupt. If none failed, the next line is reported as not run.
        goes_on = goes_on && (session.failed_commands == failures || !InterruptEndsCommand::is_requested());
    }
    if (!file.status().ok()) {
        return refuse(session, name, file.status());
    }
    if (failed_lines > 0) {
        session.out().tell(FailedCommandsFact{failed_lines});
    }
    return sequence.outcome();
}

Outcome run_source(Session& session, const Command& /*command*/, CommandLine line) {
    // Copied, because the commands of the script will replace the words of this line.
    return run_file(session, std::string(line.argv[1]));
}

} // namespace

bool CommandSequence::take(Outcome outcome) {
    quit_ = outcome == Outcome::quit;
    const bool failed = outcome == Outcome::failed || (session_.errexit && session_.aio().failures() > 0);
    session_.failed_commands += failed ? 1 : 0;
    return !quit_ && !(failed && session_.errexit) && !is_termination_wanted();
}

Outcome CommandSequence::outcome() const {
    if (quit_) {
        return Outcome::quit;
    }
    return session_.failed_commands == failures_before_ ? Outcome::ok : Outcome::failed;
}

Outcome run_script(Session& session, std::string name) {
    char word[] = "source";
    char* words[] = {word, name.data()};
    session.out().begin_command(word, words, {}, 0);
    const Outcome outcome = run_file(session, name);
    session.out().end_command(outcome != Outcome::failed);
    return outcome;
}

constexpr Command script_commands[] = {
    {.name = "source", .run = run_source,
     .argmin = 1, .argmax = 1, .is_ours = true,
     .operands = "file",
     .oneline = "run the commands in a file",
     .help =
         "Runs the commands in file, one per line. A word that starts with # starts a comment. Tabs count as spaces, and\n"
         "empty lines are skipped. The file and line of a command that fails are reported; with --errexit the script ends\n"
         "there. Scripts may run other scripts.\n"
         "\n"
         "Example: source check.zio\n",
     .words = {Word::file}},
};

} // namespace zoneio
