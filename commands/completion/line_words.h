// SPDX-License-Identifier: GPL-3.0-or-later
//
// Analysis of an unfinished line.
#pragma once

#include "commands/command.h"

#include <optional>
#include <string_view>
#include <vector>

namespace zoneio {

/// A line up to the cursor, parsed like getopt(3). All views refer to the parsed text.
struct LineWords {
    struct GivenOption {
        const CommandOption* option;
        std::string_view argument;
    };

    const Command* command = nullptr; ///< null: missing or unknown
    std::string_view name;            ///< first word; empty while it is the current one
    std::string_view current;         ///< word at the cursor; empty after a space
    size_t operands = 0;              ///< number of operands before the current word
    std::vector<GivenOption> options; ///< options with an argument before the current word
    bool has_options = false;         ///< there is an option before the current word
    const CommandOption* pending = nullptr; ///< option whose argument is the current word, or null
    size_t argument_begin = 0;        ///< position of that argument in the current word: 2 in `-tnone`, 8 in
                                      ///< `--state=full`
    bool is_option = false;           ///< the current word is an option, not yet its argument

    static LineWords parse(std::string_view line);

    /// True if the cursor is in the first word.
    bool at_command() const { return name.empty(); }
    /// Kind of the current word.
    Word kind() const;
    /// Argument of an option before the current word.
    std::optional<std::string_view> given(int letter) const;
    /// The argument or operand as typed so far.
    std::string_view typed() const { return current.substr(argument_begin); }

private:
    void take_word(std::string_view word);
    void read_option(std::string_view word, bool is_current);
    bool options_ended_ = false;
};

} // namespace zoneio
