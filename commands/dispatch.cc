// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/dispatch.h"

#include "commands/command_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <unistd.h>

namespace zoneio {

namespace {

void report_argument_count(Session& session, const Command& command, std::string_view word, int count) {
    std::string text = fmt::format("bad argument count {} to {}, expected ", count, word);
    if (command.argmax < 0) {
        text += fmt::format("at least {} arguments", command.argmin);
    } else if (command.argmin == command.argmax) {
        text += fmt::format("{} arguments", command.argmin);
    } else {
        text += fmt::format("between {} and {} arguments", command.argmin, command.argmax);
    }
    session.out().plain_error({FailureKind::word_count}, text);
}

/// Everything that is checked before a command sees its words.
bool may_run(Session& session, const Command& command, std::string_view word, int count) {
    if (command.needs_image && !session.is_open()) {
        session.out().plain_error({FailureKind::no_image}, "no file open, try 'help open'", ENOMEDIUM);
        return false;
    }
    if (count < command.argmin || (command.argmax >= 0 && count > command.argmax)) {
        report_argument_count(session, command, word, count);
        return false;
    }
    if (command.permissions != 0 && session.is_open()) {
        Status status = session.backend().require(command.permissions);
        if (!status.ok()) {
            session.out().error({FailureKind::permission}, status);
            return false;
        }
    }
    return true;
}

/// Where memory runs short a command fails, and the session goes on.
Outcome run_command(Session& session, const Command& command, CommandLine line) {
    try {
        return command.run(session, command, line);
    } catch (const std::bad_alloc&) {
        session.out().error(fmt::format("{}: Cannot allocate memory", command.name));
        return Outcome::failed;
    }
}

void split(char* line, std::vector<char*>& words) {
    words.clear();
    for (char* rest = line; *rest != '\0';) {
        if (*rest == ' ') {
            *rest++ = '\0';
            continue;
        }
        words.push_back(rest);
        while (*rest != '\0' && *rest != ' ') {
            rest++;
        }
    }
    words.push_back(nullptr);
}

void begin_record(Session& session, std::string_view name) {
    const std::span<char* const> words(session.words().data(), session.words().size() - 1);
    if (session.scripts().empty()) {
        session.out().begin_command(name, words, {}, 0);
        return;
    }
    const RunningScript& script = session.scripts().back();
    session.out().begin_command(name, words, script.name, script.line);
}

/// Runs the session's words; `command` is what the first of them names.
Outcome run_words(Session& session, const Command* command) {
    std::vector<char*>& words = session.words();
    const int count = static_cast<int>(words.size()) - 1;
    if (command == nullptr) {
        session.out().plain_error({FailureKind::unknown_command, words[0]}, fmt::format("command \"{}\" not found", words[0]));
        return Outcome::failed;
    }
    if (!session.exports().empty()) {
        session.exports().collect();
        session.tell_news();
    }
    if (!may_run(session, *command, words[0], count - 1)) {
        return Outcome::failed;
    }
    // Where the order of things is certain they need not end first.
    if (command->waits_for_aio && session.is_open() && !session.aio().empty() && !session.backend().orders_completions() &&
        !session.aio().settle(session.backend())) {
        session.out().interrupted(fmt::format("{} interrupted: waiting for asynchronous requests, which go on", command->name));
        return Outcome::failed;
    }
    if (!command->starts_aio) {
        session.kick();
    }
    session.out().set_own(command->is_ours);
    // 0, not 1: glibc then forgets what it remembers of the command before.
    optind = 0;
    const Outcome outcome = run_command(session, *command, {count, words.data()});
    // What one large command needed is not kept for all the small ones behind it.
    constexpr size_t most_kept = 16U << 20;
    if (session.scratch().capacity() > most_kept) {
        session.scratch().release();
    }
    session.exports().look();
    if (session.is_open() && session.backend().has_notices()) {
        session.show(session.backend().take_notices());
    }
    return outcome;
}

std::optional<FailedRequest> take_failed_request(Session& session) {
    return session.is_open() ? session.backend().take_failure() : std::nullopt;
}

} // namespace

Outcome run_line(Session& session, char* line) {
    const Turn::Hold hold(session.turn());
    FailureLog& failures = session.failures();
    failures.begin(line);
    (void)take_failed_request(session);
    const uint64_t failed_before = failures.count();
    std::vector<char*>& words = session.words();
    split(line, words);
    if (words.size() == 1) {
        return Outcome::ok;
    }
    const Command* const command = find_command(words[0]);
    if (session.out().is_json()) {
        begin_record(session, command != nullptr ? command->name : words[0]);
    }
    const Outcome outcome = run_words(session, command);
    session.out().end_command(outcome != Outcome::failed);
    // What fails within a command (a line of a script) says more than that the command failed.
    if (outcome == Outcome::failed && failures.count() == failed_before) {
        failures.finish(command, take_failed_request(session));
    }
    return outcome;
}

} // namespace zoneio
