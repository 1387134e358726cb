// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/families.h"

namespace zoneio {

namespace {

void print_help_text(Session& session, std::string_view text) {
    session.out().write("\n");
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        session.out().print("{}{}\n", end == 0 ? "" : " ", text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    session.out().write("\n");
}

void print_usage_lines(Session& session, std::string_view indent, bool ours) {
    for (const Command* command : command_table()) {
        if (command->is_ours == ours) {
            session.out().print("{}{}\n", indent, usage_line(*command, command->name));
        }
    }
}

Outcome run_help(Session& session, const Command& /*command*/, CommandLine line) {
    if (line.argc == 1) {
        print_usage_lines(session, "", false);
        session.out().write("\nUse 'help commandname' for extended help.\n");
        // Behind the list that scripts know from qemu-io, and indented, so that they do not take it for more of that.
        session.out().write("\n Commands that only zoneio has:\n");
        print_usage_lines(session, "  ", true);
        return Outcome::ok;
    }
    const Command* command = find_command(line.argv[1]);
    if (command == nullptr) {
        session.out().print("command {} not found\n", line.argv[1]);
        return Outcome::failed;
    }
    session.out().print("{}\n", usage_line(*command, line.argv[1]));
    if (!command->help.empty()) {
        print_help_text(session, command->help);
    }
    return Outcome::ok;
}

constexpr Command commands[] = {
    {"help", "?", run_help, 0, 1, false, false, 0, "[command]", "help for one or all commands", "", nullptr},
};

} // namespace

std::span<const Command> help_commands() {
    return commands;
}

} // namespace zoneio
