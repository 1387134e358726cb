// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the help texts in the rows of commands consist of, for whoever lays them out: a screen, the manual.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// A paragraph, what an option does, or an example.
struct HelpBlock {
    enum class Kind : uint8_t { paragraph, option, example };

    Kind kind = Kind::paragraph;
    std::string_view tag = {}; ///< of an option: `-P PATTERN`
    size_t text_column = 0;    ///< of an option: where what it does begins in its line
    std::string text = {};     ///< without line breaks; an example without the word
    bool after_blank = false;  ///< an empty line stands before it
};

std::vector<HelpBlock> parse_help(std::string_view help);

/// A help text in lines of at most so many columns, each behind a space: as it stands where it fits.
std::string help_for_screen(std::string_view help, size_t columns);

} // namespace zoneio
