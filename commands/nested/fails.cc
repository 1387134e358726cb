// SPDX-License-Identifier: GPL-3.0-or-later
//
// fails: runs a command that is expected to fail.
#include "commands/command_table.h"
#include "commands/dispatch.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/text/nearest.h"
#include "commands/why/why.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace zoneio {

namespace {

/// The expected failure. Without errno and cause, any failure except one to parse the words.
struct Expected {
    std::optional<int> code;
    std::string cause;
};

constexpr std::string_view unknown_command = "unknown-command";

bool looks_like_errno(std::string_view word) {
    return word.size() > 1 && word[0] == 'E' &&
           std::all_of(word.begin(), word.end(), [](unsigned char c) { return isupper(c) != 0 || isdigit(c) != 0; });
}

std::optional<int> errno_of(std::string_view name) {
    constexpr int most = 4096;
    for (int code = 1; code < most; code++) {
        const char* const found = strerrorname_np(code);
        if (found != nullptr && name == found) {
            return code;
        }
    }
    return std::nullopt;
}

/// Removes the expectation from the words. False after an error, which has been reported.
bool take_expected(Session& session, std::span<char*>& words, Expected& expected) {
    const std::string word = words.front();
    if (looks_like_errno(word)) {
        expected.code = errno_of(word);
        // Names that mean the same number.
        expected.code = word == "EOPNOTSUPP" || word == "ENOTSUP" ? EOPNOTSUPP : word == "EWOULDBLOCK" ? EAGAIN : expected.code;
        if (!expected.code) {
            session.out().error(fmt::format("fails: there is no errno {}", word));
            return false;
        }
        words = words.subspan(1);
    } else if (find_command(word) == nullptr && is_cause(word)) {
        expected.cause = word;
        words = words.subspan(1);
    }
    if (words.empty()) {
        session.out().error(fmt::format("fails: the command after {} is missing", word));
        return false;
    }
    // A mistyped name must not pass as an expected failure.
    if (find_command(words.front()) == nullptr && expected.cause != unknown_command) {
        std::vector<std::string_view> known = command_names();
        const std::vector<std::string_view> causes = cause_names();
        known.insert(known.end(), causes.begin(), causes.end());
        const std::string meant = nearest_text(words.front(), known);
        session.out().error({FailureKind::unknown_command, words.front()},
                            fmt::format("fails: '{}' is no command, errno or cause{}", words.front(),
                                        meant.empty() ? "; see 'help fails'" : fmt::format("; did you mean {}?", meant)));
        return false;
    }
    return true;
}

bool makes_no_sense(FailureKind kind) {
    switch (kind) {
    case FailureKind::unknown_command:
    case FailureKind::word_count:
    case FailureKind::usage:
    case FailureKind::number:
    case FailureKind::pattern:
    case FailureKind::mode: return true;
    default: return false;
    }
}

std::string errno_text(int code) {
    const char* const name = code == 0 ? nullptr : strerrorname_np(code);
    return name != nullptr ? name : "without an errno";
}

/// How the failure differs from the expected one; empty if it does not.
std::string objection(Session& session, const Expected& expected) {
    const Failure& failure = *session.failures().last();
    Evidence evidence(session, failure);
    const std::string_view cause = explain(evidence).cause;
    const std::string what = fmt::format("it failed {}{} ({})", failure.status.code() == 0 ? "" : "with ", errno_text(failure.status.code()), cause);
    if (expected.code && failure.status.code() != *expected.code) {
        return fmt::format("{}, not with {}", what, errno_text(*expected.code));
    }
    if (!expected.cause.empty() && cause != expected.cause) {
        return fmt::format("{}, not for {}", what, expected.cause);
    }
    if (!expected.code && expected.cause.empty() && makes_no_sense(failure.kind)) {
        return fmt::format("its words are wrong ({}); use 'fails {} ...' to expect that", cause, cause);
    }
    return {};
}

Outcome run_fails(Session& session, const Command& command, CommandLine line) {
    std::span<char*> words(line.argv + 1, static_cast<size_t>(line.argc - 1));
    Expected expected;
    if (!take_expected(session, words, expected)) {
        return Outcome::failed;
    }
    const std::string text = session.text_from(words.front());
    std::string inner = text;
    const uint64_t failed_before = session.failed_commands;
    const uint64_t requests_before = session.aio().failures();
    const uint64_t failures_before = session.failures().count();
    const Outcome outcome = run_line(session, inner.data());
    if (InterruptEndsCommand::is_requested()) {
        return Outcome::failed;
    }
    const bool has_failed = outcome == Outcome::failed || session.aio().failures() > requests_before;
    std::string problem = "it succeeded";
    if (has_failed && session.failures().count() > failures_before) {
        problem = objection(session, expected);
    }
    if (!problem.empty()) {
        return session.out().error(Status::error(EPROTO, fmt::format("{}: {}: {}", command.name, text, problem)));
    }
    session.failed_commands = failed_before;
    session.aio().forgive_failures_after(requests_before);
    return Outcome::ok;
}

} // namespace

constexpr Command fails_commands[] = {
    {.name = "fails", .run = run_fails,
     .argmin = 1, .argmax = -1, .is_ours = true, .takes_command = true,
     .operands = "[errno|cause] command...",
     .oneline = "run a command that is expected to fail",
     .help =
         "Runs COMMAND and succeeds if it fails with this errno (ENOSPC) or cause (zone-full). zoneio --explain prints\n"
         "the cause of each failure in brackets. Without errno and cause, every failure counts except wrong words, so\n"
         "that a typo is no success. Asynchronous requests that COMMAND reports count as well.\n"
         "\n"
         "Example: fails zone-full write 0z 4k\n",
     .words = {Word::command}},
};

} // namespace zoneio
