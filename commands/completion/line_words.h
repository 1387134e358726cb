// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a line that is not finished says so far.
#pragma once

#include "commands/command.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// A line up to the cursor, read as getopt(3) will read it. All views are into the text that was parsed.
struct LineWords {
    struct GivenOption {
        const CommandOption* option;
        std::string_view argument;
    };

    const Command* command = nullptr; ///< null: none yet, or unknown
    std::string_view name;            ///< the first word; empty while that is the current one
    std::string_view current;         ///< the word at the cursor; empty behind a space
    size_t operands = 0;              ///< those before the current word
    std::vector<GivenOption> options; ///< those with an argument before the current word
    bool has_options = false;         ///< is there any option before the current word?
    const CommandOption* pending = nullptr; ///< the current word is the argument of this option; null: it is none
    size_t argument_begin = 0;        ///< of that argument in the current word: 2 in `-tnone`, 8 in `--state=full`
    bool is_option = false;           ///< the current word is an option, not yet its argument

    static LineWords parse(std::string_view line);

    /// Is the first word the one at the cursor?
    bool at_command() const { return name.empty(); }
    /// What the current word stands for.
    Word kind() const;
    /// The argument of an option that was given before.
    std::optional<std::string_view> given(int letter) const;
    /// What was typed of the argument or operand at the cursor.
    std::string_view typed() const { return current.substr(argument_begin); }

private:
    void take_word(std::string_view word);
    void read_option(std::string_view word, bool is_current);
    bool options_ended_ = false;
};

} // namespace zoneio
