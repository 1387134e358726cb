// SPDX-License-Identifier: GPL-3.0-or-later
//
// expect: compares the output of a command with a pattern.
#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "commands/dispatch.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <regex.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace zoneio {

namespace {

struct ExpectOptions {
    bool literal = false; // -F
    bool absent = false;  // -v
};

constexpr OptionRow<ExpectOptions> expect_options[] = {
    {{.letter = 'F', .help = "PATTERN is a plain text, not a regular expression"}, set_flag<&ExpectOptions::literal>},
    {{.letter = 'v', .help = "no line may match"}, set_flag<&ExpectOptions::absent>},
};

/// The pattern for lines.
class LinePattern {
public:
    LinePattern(const std::string& text, bool literal) : text_(text), literal_(literal) {
        if (!literal_) {
            error_ = regcomp(&regex_, text.c_str(), REG_EXTENDED | REG_NOSUB);
        }
    }
    ~LinePattern() {
        if (!literal_ && error_ == 0) {
            regfree(&regex_);
        }
    }
    LinePattern(const LinePattern&) = delete;
    LinePattern& operator=(const LinePattern&) = delete;

    /// Error in the pattern; empty if it is valid.
    std::string problem() const {
        char text[256] = "";
        if (error_ != 0) {
            regerror(error_, &regex_, text, sizeof text);
        }
        return text;
    }
    bool matches(std::string_view line) const {
        return literal_ ? line.find(text_) != std::string_view::npos : regexec(&regex_, std::string(line).c_str(), 0, nullptr, 0) == 0;
    }

private:
    std::string text_;
    bool literal_;
    regex_t regex_{};
    int error_ = 0;
};

/// While it exists, output of the process to stdout and stderr is captured in memory, in order.
class OutputCapture {
public:
    OutputCapture();
    ~OutputCapture();
    OutputCapture(const OutputCapture&) = delete;
    OutputCapture& operator=(const OutputCapture&) = delete;

    /// Why nothing is captured.
    const Status& status() const { return status_; }
    /// Restores stdout and stderr, and calls `visit` for each captured line, without its newline. Output of `visit` is
    /// not captured.
    void finish(const std::function<void(std::string_view line)>& visit);

private:
    void restore();

    FileDescriptor file_;
    FileDescriptor stdout_;
    FileDescriptor stderr_;
    Status status_;
};

int copy_of(int fd) {
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

OutputCapture::OutputCapture() {
    fflush(stdout);
    file_ = FileDescriptor(memfd_create("output", MFD_CLOEXEC));
    stdout_ = FileDescriptor(copy_of(STDOUT_FILENO));
    stderr_ = FileDescriptor(copy_of(STDERR_FILENO));
    // Both descriptors append, so that neither overwrites the other's output.
    const bool is_ready = file_.valid() && stdout_.valid() && stderr_.valid() && fcntl(file_.get(), F_SETFL, O_APPEND) == 0;
    if (!is_ready || dup2(file_.get(), STDOUT_FILENO) < 0 || dup2(file_.get(), STDERR_FILENO) < 0) {
        status_ = Status::from_errno(errno);
        restore();
    }
}

OutputCapture::~OutputCapture() {
    restore();
}

void OutputCapture::restore() {
    fflush(stdout);
    if (stdout_.valid()) {
        (void)dup2(stdout_.get(), STDOUT_FILENO);
    }
    if (stderr_.valid()) {
        (void)dup2(stderr_.get(), STDERR_FILENO);
    }
    stdout_ = FileDescriptor();
    stderr_ = FileDescriptor();
}

void OutputCapture::finish(const std::function<void(std::string_view line)>& visit) {
    restore();
    const int again = file_.valid() ? copy_of(file_.get()) : -1;
    FILE* const file = again >= 0 ? fdopen(again, "r") : nullptr;
    if (file == nullptr) {
        return;
    }
    rewind(file);
    char* line = nullptr;
    size_t room = 0;
    ssize_t length = 0;
    while ((length = getline(&line, &room, file)) > 0) {
        std::string_view text(line, static_cast<size_t>(length));
        if (text.ends_with('\n')) {
            text.remove_suffix(1);
        }
        visit(text);
    }
    free(line);
    fclose(file);
}

/// Output of a command, and whether one of its lines matches.
struct Printed {
    Outcome outcome = Outcome::failed;
    Status status;
    bool matches = false;
    std::string text;
};

Printed run_captured(Session& session, std::string inner, const LinePattern& pattern) {
    // Output beyond this size is compared, but not shown.
    constexpr size_t most_shown = 1U << 20;
    Printed printed;
    OutputCapture capture;
    if (!capture.status().ok()) {
        printed.status = capture.status();
        return printed;
    }
    printed.outcome = run_line(session, inner.data());
    session.out().flush();
    capture.finish([&](std::string_view line) {
        printed.matches = printed.matches || pattern.matches(line);
        if (printed.text.size() < most_shown || session.out().is_json()) {
            printed.text += line;
            printed.text += '\n';
        }
    });
    return printed;
}

/// Prints the captured output.
void show(Session& session, const Printed& printed) {
    fwrite(printed.text.data(), 1, printed.text.size(), stdout);
    session.out().flush();
}

Outcome run_expect(Session& session, const Command& command, const ExpectOptions& options, std::span<char*> words) {
    if (words.size() < 2) {
        return usage_error(session, command);
    }
    const std::string text = words[0];
    const std::string inner = session.text_from(words[1]);
    const LinePattern pattern(text, options.literal);
    if (const std::string problem = pattern.problem(); !problem.empty()) {
        return session.out().error(fmt::format("expect: '{}': {}", text, problem));
    }
    const Printed printed = run_captured(session, inner, pattern);
    const bool is_expected = printed.matches != options.absent;
    if (session.out().is_json() || printed.outcome != Outcome::ok || !is_expected) {
        show(session, printed);
    }
    if (!printed.status.ok()) {
        session.out().error(printed.status, fmt::format("expect: cannot store the output of '{}': {}", inner, printed.status.message()));
    }
    if (printed.outcome != Outcome::ok) {
        return printed.outcome;
    }
    if (!is_expected) {
        session.out().error(Status::error(EPROTO, fmt::format("expect: {}: {} line of what it printed matches '{}'", inner, options.absent ? "a" : "no", text)));
    }
    return is_expected ? Outcome::ok : Outcome::failed;
}

} // namespace

constexpr Command expect_commands[] = {
    {.name = "expect", .run = with_options<expect_options, run_expect>,
     .argmin = 2, .argmax = -1, .is_ours = true, .takes_command = true,
     .operands = "pattern command...",
     .oneline = "run a command and check what it prints",
     .help =
         "Runs COMMAND. Succeeds if COMMAND succeeds and a line of its output matches PATTERN, an extended regular\n"
         "expression (regex(7)); then prints nothing. Otherwise prints the output. For a command that must fail:\n"
         "expect PATTERN fails COMMAND.\n"
         "\n"
         "Example: expect open.1.of.3 zone_info\n",
     .options = option_table<expect_options>(), .words = {Word::other, Word::command}},
};

} // namespace zoneio
