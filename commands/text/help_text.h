// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of the help texts in command rows, for layout on the screen and in the manual.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// A paragraph, an option with its effect, or an example.
struct HelpBlock {
    enum class Kind : uint8_t { paragraph, option, example };

    Kind kind = Kind::paragraph;
    std::string_view tag = {}; ///< option only: such as `-P PATTERN`
    size_t text_column = 0;    ///< option only: column of its text
    std::string text = {};     ///< without line breaks; an example without the word `Example:`
    bool after_blank = false;  ///< an empty line precedes it
};

std::vector<HelpBlock> parse_help(std::string_view help);

/// A help text in lines of at most `columns` columns, each after a space. Unchanged if it fits.
std::string help_for_screen(std::string_view help, size_t columns);

} // namespace zoneio
