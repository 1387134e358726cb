// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/option_table.h"
#include "commands/session.h"
#include "commands/words.h"

#include <span>
#include <string_view>

namespace zoneio {

/// How a command ended.
enum class Outcome { ok, failed, quit };

/// A command as typed: `argv[0]` is its name, `argv[argc]` null; getopt(3) may reorder it.
struct CommandLine {
    int argc;
    char** argv;

    /// The operands that getopt left, from `optind` on.
    std::span<char*> operands() const;
};

/// One row of the command table: what a command is called, takes, needs and does.
struct Command {
    std::string_view name;
    std::string_view altname = {}; ///< short name
    Outcome (*run)(Session& session, const Command& command, CommandLine line);
    int argmin = 0;             ///< words after the name, options included
    int argmax = 0;             ///< -1: any number
    bool needs_image = false;   ///< refused while no image is open
    bool waits_for_aio = false; ///< lets asynchronous requests finish first, so that results do not race
    bool starts_aio = false;    ///< what others of its kind have kept back may stay so
    bool is_ours = false;       ///< qemu-io has no such command
    unsigned permissions = 0;   ///< Permissions to take before it runs
    const char* args = nullptr;     ///< the arguments in qemu-io's usage line; null: they come from what follows
    std::string_view operands = {}; ///< in the usage line of a command of our own
    std::string_view oneline;       ///< what it does, in a few words
    std::string_view help = {};     ///< the same in some lines, without the options and without indentation
    std::string_view notes = {};    ///< what help has below the options
    /// What the manual tells instead of `help`, where qemu-io's help is one line that suites compare.
    std::string_view manual = {};
    OptionTable options = {};
    CommandWords words = {};        ///< for completion
};

/// The arguments in the usage line: qemu-io's own text, else the options and the operands. Empty: there are none.
std::string usage_arguments(const Command& command);
/// `NAME ARGUMENTS -- ONELINE`.
std::string usage_line(const Command& command, std::string_view shown_name);

/// The next option of a line as getopt(3) finds it: OptionTable::code(), or '?'.
int next_option(const Command& command, CommandLine line);

/// Prints the usage line, for operands that make no sense.
Outcome usage_error(Session& session, const Command& command);

} // namespace zoneio
