// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command.h"

#include "commands/long_work.h"
#include "commands/text/safe_text.h"

#include <algorithm>
#include <cctype>
#include <unistd.h>

namespace zoneio {

namespace {

bool has_options_first(CommandLine line) {
    bool operand_seen = false;
    for (int i = 1; i < line.argc; i++) {
        const bool is_option = line.argv[i][0] == '-' && line.argv[i][1] != '\0';
        if (is_option && operand_seen) {
            return false;
        }
        operand_seen = operand_seen || !is_option;
    }
    return true;
}

std::string lower(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](unsigned char c) { return tolower(c); });
    return lowered;
}

/// `[-bq] [-s states] [--width n]`: first the letters of options without an argument.
std::string options_text(const OptionTable& options) {
    std::string flags;
    std::string others;
    for (const CommandOption* const row : options.rows()) {
        if (row->letter != '\0' && row->argument.empty()) {
            flags += row->letter;
            continue;
        }
        const std::string name = row->letter != '\0' ? fmt::format("-{}", row->letter) : fmt::format("--{}", row->name);
        others += fmt::format(" [{}{}{}]", name, row->argument.empty() ? "" : " ", lower(row->argument));
    }
    return flags.empty() ? others.substr(std::min<size_t>(others.size(), 1)) : fmt::format("[-{}]{}", flags, others);
}

} // namespace

std::span<char*> CommandLine::operands() const {
    return {argv + optind, static_cast<size_t>(argc - optind)};
}

std::string usage_arguments(const Command& command) {
    if (command.args != nullptr) {
        return command.args;
    }
    const std::string options = options_text(command.options);
    return fmt::format("{}{}{}", options, options.empty() || command.operands.empty() ? "" : " ", command.operands);
}

std::string usage_line(const Command& command, std::string_view shown_name) {
    const std::string arguments = usage_arguments(command);
    // qemu-io prints the space even if the arguments are an empty string.
    const bool has_gap = command.args != nullptr || !arguments.empty();
    return fmt::format("{}{}{} -- {}", shown_name, has_gap ? " " : "", arguments, command.oneline);
}

int next_option(const Command& command, CommandLine line) {
    // If there is nothing to reorder, a `+` spares getopt the search of the environment, which is most of its work.
    static bool in_order = false;
    if (optind == 0) {
        in_order = command.takes_command || has_options_first(line);
    }
    const char* const letters = in_order ? command.options.letters_in_order() : command.options.letters();
    const option* const long_options = command.options.long_options();
    const auto next = [&] {
        return long_options == nullptr ? getopt(line.argc, line.argv, letters)
                                       : getopt_long(line.argc, line.argv, letters, long_options, nullptr);
    };
    static const bool at_terminal = isatty(STDERR_FILENO) != 0;
    if (!at_terminal || opterr == 0 || long_options != nullptr) {
        return next();
    }
    // getopt's own message could contain a control character.
    opterr = 0;
    const int code = next();
    opterr = 1;
    if (code == '?') {
        print_error_line(line.argv[0], ": ", getopt_complaint(command.options.letters()));
    }
    return code;
}

Outcome usage_error(Session& session, const Command& command) {
    return session.out().usage(usage_line(command, command.name), command.options.letters());
}

Outcome command_failed(Session& session, const Command& command, const Status& status) {
    return session.out().error(status, fmt::format("{}: {}", command.name, status.message()));
}

Outcome long_command_failed(Session& session, const Command& command, const Status& status) {
    return was_interrupted(status) ? session.out().interrupted(fmt::format("{} interrupted", command.name))
                                   : command_failed(session, command, status);
}

OptionStep step_after(const GivenOption& given, const Status& status) {
    if (status.ok()) {
        return OptionStep::next;
    }
    command_failed(given.session, given.command, status);
    return OptionStep::failed;
}

} // namespace zoneio
