// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <csignal>
#include <termios.h>

namespace zoneio {

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
