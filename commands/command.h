// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/session.h"
#include "commands/words.h"

#include <array>
#include <getopt.h>
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

/// The letters of a command's options as getopt(3) takes them, `P:qs:`; null where it takes none.
class OptionLetters {
public:
    constexpr OptionLetters(const char* letters) { // NOLINT(google-explicit-constructor): rows of a table
        for (size_t end = 0; letters != nullptr && letters[end] != '\0'; end++) {
            in_order_.at(end + 1) = letters[end];
        }
    }

    /// Empty where there are none.
    constexpr const char* text() const { return in_order_.data() + 1; }
    /// For a line whose options are known to come before its operands.
    constexpr const char* in_order() const { return in_order_.data(); }

private:
    std::array<char, 24> in_order_{'+'};
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
    const char* args = nullptr; ///< for the usage line
    std::string_view oneline;   ///< the same, in a few words
    std::string_view help = {}; ///< longer, lines without indentation
    /// What the manual tells instead of `help`, where qemu-io's help is one line that suites compare.
    std::string_view manual = {};
    OptionLetters options = nullptr;
    const option* long_options = nullptr; ///< for getopt_long(3), where it takes long ones, too
    CommandWords words = {};              ///< for completion
};

/// `NAME ARGS -- ONELINE`.
std::string usage_line(const Command& command, std::string_view shown_name);

/// The next option of a line, as getopt(3) finds it.
int next_option(const Command& command, CommandLine line);

/// Prints the usage line, for operands that make no sense.
Outcome usage_error(Session& session, const Command& command);

} // namespace zoneio
