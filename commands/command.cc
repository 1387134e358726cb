// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command.h"

#include "commands/text/safe_text.h"

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

} // namespace

std::span<char*> CommandLine::operands() const {
    return {argv + optind, static_cast<size_t>(argc - optind)};
}

std::string usage_line(const Command& command, std::string_view shown_name) {
    return command.args == nullptr ? fmt::format("{} -- {}", shown_name, command.oneline)
                                   : fmt::format("{} {} -- {}", shown_name, command.args, command.oneline);
}

int next_option(const Command& command, CommandLine line) {
    // Where nothing is to be reordered, getopt is told so: else it asks the environment, which is most of its work.
    static bool in_order = false;
    if (optind == 0) {
        in_order = has_options_first(line);
    }
    const char* const options = in_order ? command.options.in_order() : command.options.text();
    static const bool at_terminal = isatty(STDERR_FILENO) != 0;
    if (!at_terminal || opterr == 0) {
        return getopt(line.argc, line.argv, options);
    }
    // Its message may hold a byte that the terminal obeys.
    opterr = 0;
    const int option = getopt(line.argc, line.argv, options);
    opterr = 1;
    if (option == '?') {
        print_error_line(line.argv[0], ": ", getopt_complaint(command.options.text()));
    }
    return option;
}

Outcome usage_error(Session& session, const Command& command) {
    session.failures().note(FailureKind::usage);
    session.out().usage(usage_line(command, command.name), command.options.text());
    return Outcome::failed;
}

} // namespace zoneio
