// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_help.h"
#include "commands/command_table.h"
#include "commands/control/groups.h"
#include "commands/families.h"
#include "commands/text/help_text.h"
#include "commands/text/terminal.h"
#include "commands/text/wrapping.h"

#include <unistd.h>

namespace zoneio {

namespace {

/// Indentation of continued usage lines on a terminal.
constexpr size_t hanging = 4;

void add_command(JsonRecord& record, const Command& command) {
    record.begin_element();
    record.add("name", command.name);
    record.add("short", command.altname);
    record.add("arguments", usage_arguments(command));
    record.add("summary", command.oneline);
    record.add("help", manual_of(command));
    record.add("in_qemu_io", !command.is_ours);
    record.end();
}

/// Help for one command, under the name as typed.
struct CommandFact {
    const Command& command;
    std::string_view name;

    void text(Reporter& out) const {
        const size_t columns = line_columns(STDOUT_FILENO);
        out.print("{}\n", wrapped(usage_line(command, name), columns, hanging));
        // If stdout is not a terminal, qemu-io's commands have the help that suites expect.
        if (const std::string help = isatty(STDOUT_FILENO) != 0 ? manual_of(command) : help_of(command); !help.empty()) {
            out.print("\n{}\n", help_for_screen(help, columns));
        }
    }
    void json(JsonRecord& record) const {
        record.begin_list("commands");
        add_command(record, command);
    }
};

/// The commands of a group, one a line.
struct GroupFact {
    const CommandGroup& group;

    void text(Reporter& out) const {
        out.print("{}:\n", group.title);
        for (const std::string_view name : group.commands) {
            const Command& command = *find_command(name);
            const std::string names = command.altname.empty() ? std::string(name) : fmt::format("{}, {}", name, command.altname);
            constexpr size_t column = 24;
            out.print("{}\n", wrapped(fmt::format("  {:<20} {}", names, command.oneline), line_columns(STDOUT_FILENO), column - 1));
        }
    }
    void json(JsonRecord& record) const {
        record.begin_list("commands");
        for (const std::string_view name : group.commands) {
            add_command(record, *find_command(name));
        }
    }
};

/// All groups, in text form.
struct GroupsFact {
    void text(Reporter& out) const {
        for (const CommandGroup& group : command_groups()) {
            GroupFact{group}.text(out);
            out.write("\n");
        }
        std::string names;
        for (const CommandGroup& group : command_groups()) {
            names += names.empty() ? "" : ", ";
            names += group.name;
        }
        const std::string text = fmt::format("'help COMMAND' explains one command, 'help GROUP' lists a group: {}.", names);
        out.print("{}\n", wrapped(text, line_columns(STDOUT_FILENO), 0));
    }
    void json(JsonRecord& /*record*/) const {}
};

/// The list of all commands.
struct CommandsFact {
    void text(Reporter& out) const {
        usage_lines(out, "", false);
        out.write("\nUse 'help commandname' for extended help.\n");
        // After the list that scripts know from qemu-io, and indented, so that they do not take it for a part of that
        // list.
        out.write("\n Commands that only zoneio has:\n");
        usage_lines(out, "  ", true);
    }
    void json(JsonRecord& record) const {
        record.begin_list("commands");
        for (const Command* command : command_table()) {
            add_command(record, *command);
        }
    }
    static void usage_lines(Reporter& out, std::string_view indent, bool ours) {
        for (const Command* command : command_table()) {
            if (command->is_ours == ours) {
                const std::string line = fmt::format("{}{}", indent, usage_line(*command, command->name));
                out.print("{}\n", wrapped(line, line_columns(STDOUT_FILENO), indent.size() + hanging));
            }
        }
    }
};

Outcome run_help(Session& session, const Command& /*command*/, CommandLine line) {
    if (line.argc == 1) {
        const bool at_terminal = isatty(STDOUT_FILENO) != 0 && !session.out().is_json();
        at_terminal ? session.out().tell(GroupsFact{}) : session.out().tell(CommandsFact{});
        return Outcome::ok;
    }
    const Command* const command = find_command(line.argv[1]);
    const CommandGroup* const group = command == nullptr ? find_command_group(line.argv[1]) : nullptr;
    if (group != nullptr) {
        session.out().tell(GroupFact{*group});
        return Outcome::ok;
    }
    if (command == nullptr) {
        return session.out().complain("command {} not found\n", line.argv[1]);
    }
    session.out().tell(CommandFact{*command, line.argv[1]});
    return Outcome::ok;
}

} // namespace

constexpr Command help_commands[] = {
    {.name = "help", .altname = "?", .run = run_help,
     .argmax = 1,
     .args = "[command]",
     .oneline = "help for one or all commands",
     .words = {Word::command}},
};

} // namespace zoneio
