// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/option_table.h"
#include "commands/session.h"
#include "commands/words.h"

#include <span>
#include <string_view>

namespace zoneio {

/// A command as typed: `argv[0]` is its name, `argv[argc]` null; getopt(3) may reorder it.
struct CommandLine {
    int argc;
    char** argv;

    /// The operands after getopt(3) has run: the words from `optind`.
    std::span<char*> operands() const;
};

/// A row of the command table.
struct Command {
    std::string_view name;
    std::string_view altname = {}; ///< short name
    Outcome (*run)(Session& session, const Command& command, CommandLine line);
    int argmin = 0;             ///< fewest words after the name, options included
    int argmax = 0;             ///< most words after the name; -1: any number
    bool needs_image = false;   ///< refused while no image is open
    bool needs_zones = false;   ///< refused while the open image is not a zoned device
    bool waits_for_aio = false; ///< waits for asynchronous requests before it runs, so that results do not race
    bool starts_aio = false;    ///< need not submit the pending aio batch first
    bool is_ours = false;       ///< qemu-io has no such command
    bool takes_zone_alone = false; ///< a zone address as the only operand means the whole zone
    bool takes_command = false; ///< the operands are another command, whose first word ends the options
    unsigned permissions = 0;   ///< bits of Permissions that are taken before it runs
    const char* args = nullptr;     ///< arguments in qemu-io's usage line; null: made from `options` and `operands`
    std::string_view operands = {}; ///< operands in the usage line of zoneio's own commands
    std::string_view oneline;       ///< summary in the imperative: "read a range of the image"
    std::string_view help = {};     ///< help text without options and without indentation; ends with its example
    std::string_view notes = {};    ///< help text below the options
    /// Help text for the manual if `help` must be empty, because suites compare qemu-io's one line of help.
    std::string_view manual = {};
    OptionTable options = {};
    CommandWords words = {};        ///< for completion
};

/// The arguments in the usage line: `args`, otherwise made from the options and operands. Empty if there are none.
std::string usage_arguments(const Command& command);
/// `NAME ARGUMENTS -- ONELINE`.
std::string usage_line(const Command& command, std::string_view shown_name);

/// The next option of the line by getopt(3): OptionTable::code(), '?' for an unknown option, -1 at the end.
int next_option(const Command& command, CommandLine line);

/// Reports wrong operands with the usage line.
Outcome usage_error(Session& session, const Command& command);
/// Prints `PROGRAM: COMMAND: REASON` on stderr.
Outcome command_failed(Session& session, const Command& command, const Status& status);
/// Likewise, or says that the user interrupted the command.
Outcome long_command_failed(Session& session, const Command& command, const Status& status);
/// The result of a function for OptionRow::take: `failed` after an error in the argument, which it reports.
OptionStep step_after(const GivenOption& given, const Status& status);

} // namespace zoneio
