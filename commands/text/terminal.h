// SPDX-License-Identifier: GPL-3.0-or-later
//
// Abilities of the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zoneio {

/// Target of a text picture, and what it can display.
struct TextScreen {
    unsigned width = 80;  ///< columns: of the terminal, else COLUMNS, else 80
    unsigned height = 24; ///< lines: of the terminal, else LINES, else 24
    bool utf8 = false;    ///< by the locale (LC_ALL, LC_CTYPE, LANG)
    bool colour = false;  ///< stdout is a terminal, TERM is not `dumb`, NO_COLOR is not set
    bool is_terminal = false;

    /// The screen of stdout.
    static TextScreen of_stdout();
};

/// Columns of the terminal on this descriptor; SIZE_MAX if it is not a terminal.
size_t line_columns(int fd);

/// True if text on this descriptor may have colours: on a terminal, unless NO_COLOR is set or TERM is `dumb`.
bool may_colour(int fd);
/// The text in a dim colour, where may_colour() allows it.
std::string dimmed(int fd, std::string_view text);

} // namespace zoneio
