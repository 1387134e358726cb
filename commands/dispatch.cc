// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/dispatch.h"

#include "commands/address.h"
#include "commands/command_table.h"

#include <algorithm>
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

/// Makes the checks that precede every command.
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

/// Runs a command. If memory runs out, the command fails and the session continues.
Outcome run_command(Session& session, const Command& command, CommandLine line) {
    if (command.needs_zones && session.backend().limits().zoned == ZonedModel::none) {
        return session.out().error({FailureKind::not_zoned}, fmt::format("{}: the open image is not a zoned device", command.name));
    }
    try {
        return command.run(session, command, line);
    } catch (const std::bad_alloc&) {
        return session.out().error(fmt::format("{}: Cannot allocate memory", command.name));
    }
}

/// The closing quote of a word that starts with a quote; null if there is none, and then the quote is an ordinary
/// character.
char* quoted_end(char* word) {
    if (*word != '\'' && *word != '"') {
        return nullptr;
    }
    for (char* at = word + 1; *at != '\0'; at++) {
        if (*at == *word && (at[1] == ' ' || at[1] == '\0')) {
            return at;
        }
    }
    return nullptr;
}

void split(char* line, std::vector<char*>& words, bool quotes) {
    words.clear();
    for (char* rest = line; *rest != '\0';) {
        if (*rest == ' ') {
            *rest++ = '\0';
            continue;
        }
        if (char* const end = quotes ? quoted_end(rest) : nullptr; end != nullptr) {
            words.push_back(rest + 1);
            *end = '\0';
            rest = end + 1;
            continue;
        }
        words.push_back(rest);
        while (*rest != '\0' && *rest != ' ') {
            rest++;
        }
    }
    words.push_back(nullptr);
}

/// True if a word starts with a quote that is closed.
bool has_quoted_blank(char* line) {
    for (char* at = line; *at != '\0'; at++) {
        char* const end = at == line || at[-1] == ' ' ? quoted_end(at) : nullptr;
        if (end != nullptr && std::find(at, end, ' ') != end) {
            return true;
        }
    }
    return false;
}

/// zoneio's own commands accept quotes. qemu-io's do not, except `open`: qemu-io allows it only one name, so quotes
/// around a name with blanks fail there.
bool takes_quotes(char* line) {
    std::string_view name(line);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    const Command* const command = find_command(name.substr(0, name.find(' ')));
    return command != nullptr && (command->is_ours || (command->name == "open" && has_quoted_blank(line)));
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

/// True if a zone address is the only word after the command, which means the whole zone.
bool is_zone_alone(Session& session) {
    if (session.words().size() != 3 || !takes_addresses(session)) {
        return false;
    }
    const std::optional<Address> address = find_address(session, session.words()[1]);
    return address && address->zone && !address->pointer && address->distance == 0;
}

/// Runs the session's words. `command`: the row for the first word, or null.
Outcome run_words(Session& session, const Command* command) {
    std::vector<char*>& words = session.words();
    if (command != nullptr && command->takes_zone_alone && is_zone_alone(session)) {
        static char one_zone[] = "1z";
        words.insert(words.end() - 1, one_zone);
    }
    const int count = static_cast<int>(words.size()) - 1;
    if (command == nullptr) {
        return session.out().plain_error({FailureKind::unknown_command, words[0]}, fmt::format("command \"{}\" not found", words[0]));
    }
    if (!session.exports().empty()) {
        session.exports().collect();
        session.tell_news();
    }
    if (!may_run(session, *command, words[0], count - 1)) {
        return Outcome::failed;
    }
    // If the order of completions is certain, requests in flight need not end first.
    if (command->waits_for_aio && session.is_open() && !session.aio().empty() && !session.backend().orders_completions() &&
        !session.aio().settle(session.backend())) {
        return session.out().interrupted(fmt::format("{} interrupted: waiting for asynchronous requests, which go on", command->name));
    }
    if (!command->starts_aio) {
        session.kick();
    }
    session.out().set_own(command->is_ours);
    // With 0, unlike 1, glibc also resets its internal state.
    optind = 0;
    const Outcome outcome = run_command(session, *command, {count, words.data()});
    // Memory of a large command is freed, not kept for later small ones.
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

/// Runs the session's words as a command with its own record, and notes a failure.
Outcome run_noted(Session& session) {
    FailureLog& failures = session.failures();
    (void)take_failed_request(session);
    const uint64_t failed_before = failures.count();
    std::vector<char*>& words = session.words();
    const Command* const command = find_command(words[0]);
    if (session.out().is_json()) {
        begin_record(session, command != nullptr ? command->name : words[0]);
    }
    const Outcome outcome = run_words(session, command);
    // A failure within the command, such as a line of a script, is noted already and says more.
    if (outcome == Outcome::failed && failures.count() == failed_before) {
        failures.finish(command, take_failed_request(session));
    }
    session.out().end_command(outcome != Outcome::failed);
    return outcome;
}

} // namespace

Outcome run_line(Session& session, char* line) {
    const Turn::Hold hold(session.turn());
    session.begin_line(line);
    const bool quotes = strpbrk(line, "'\"") != nullptr && takes_quotes(line);
    split(line, session.words(), quotes);
    return session.words().size() == 1 ? Outcome::ok : run_noted(session);
}

} // namespace zoneio
