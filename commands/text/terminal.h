// SPDX-License-Identifier: GPL-3.0-or-later
//
// Abilities of the terminal, and keys while a command updates the screen.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <termios.h>

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

/// While it exists, keys are read without Enter and without echo; Ctrl-C is an ordinary key. No effect if stdin is not
/// a terminal.
class KeyWatch {
public:
    KeyWatch();
    ~KeyWatch();
    KeyWatch(const KeyWatch&) = delete;
    KeyWatch& operator=(const KeyWatch&) = delete;

    /// Waits at most this time, less if the window is resized. True if a key was pressed.
    bool wait(std::chrono::milliseconds time);

private:
    struct sigaction resize_before_{};
    sigset_t signals_before_{};
    termios before_{};
    bool is_terminal_; ///< last member, because its initialisation sets before_
};

} // namespace zoneio
