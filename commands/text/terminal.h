// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the terminal can show, and keys while a command shows something that goes on.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <termios.h>

namespace zoneio {

/// Where a picture of text goes, and what may be used to draw it.
struct TextScreen {
    unsigned width = 80;  ///< columns: of the terminal, else COLUMNS, else 80
    unsigned height = 24; ///< lines: of the terminal, else LINES, else 24
    bool utf8 = false;    ///< by the locale (LC_ALL, LC_CTYPE, LANG)
    bool colour = false;  ///< stdout is a terminal, TERM is not dumb, and NO_COLOR not set
    bool is_terminal = false;

    /// That of stdout.
    static TextScreen of_stdout();
};

/// How many columns a line has on this descriptor: those of the terminal that it is, and no end of them elsewhere.
size_t line_columns(int fd);

/// May text on this descriptor have colours? Only on a terminal, without NO_COLOR and with a TERM that is not `dumb`.
bool may_colour(int fd);

/// While it lives, keys are not shown and need no Enter; an interrupt is a key like others. Nothing happens where
/// stdin is no terminal.
class KeyWatch {
public:
    KeyWatch();
    ~KeyWatch();
    KeyWatch(const KeyWatch&) = delete;
    KeyWatch& operator=(const KeyWatch&) = delete;

    /// Waits so long, or less when the window changes; true when a key was pressed.
    bool wait(std::chrono::milliseconds time);

private:
    struct sigaction resize_before_{};
    sigset_t signals_before_{};
    termios before_{};
    bool is_terminal_; ///< last: finding out fills in the other
};

} // namespace zoneio
