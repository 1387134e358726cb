// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/key_watch.h"

#include <poll.h>
#include <unistd.h>

namespace zoneio {

KeyWatch::KeyWatch() : is_terminal_(isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (is_terminal_) {
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        // Without a handler, the signal would not end a wait. It is blocked otherwise, so that one that arrives between
        // waits ends the next wait.
        struct sigaction resize{};
        resize.sa_handler = [](int) {};
        sigaction(SIGWINCH, &resize, &resize_before_);
        sigset_t held;
        sigemptyset(&held);
        sigaddset(&held, SIGWINCH);
        pthread_sigmask(SIG_BLOCK, &held, &signals_before_);
    }
}

KeyWatch::~KeyWatch() {
    if (is_terminal_) {
        pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
        sigaction(SIGWINCH, &resize_before_, nullptr);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
}

bool KeyWatch::wait(std::chrono::milliseconds time) {
    pollfd event{is_terminal_ ? STDIN_FILENO : -1, POLLIN, 0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const timespec pause{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
    if (ppoll(&event, 1, &pause, is_terminal_ ? &signals_before_ : nullptr) <= 0 || event.revents == 0) {
        return false;
    }
    char keys[64];
    (void)!read(STDIN_FILENO, keys, sizeof keys);
    return true;
}

} // namespace zoneio
