// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/terminal.h"

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// A number in the environment; 0 if there is none.
unsigned environment_number(const char* name) {
    const char* const text = getenv(name);
    const long number = text != nullptr ? strtol(text, nullptr, 10) : 0;
    return number > 0 && number < 100000 ? static_cast<unsigned>(number) : 0;
}

unsigned first_of(unsigned a, unsigned b, unsigned c) {
    return a != 0 ? a : b != 0 ? b : c;
}

bool locale_is_utf8() {
    // setlocale() would change character classification in the whole program.
    const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
    if (locale == nullptr) {
        return false;
    }
    const bool utf8 = std::string_view(nl_langinfo_l(CODESET, locale)) == "UTF-8";
    freelocale(locale);
    return utf8;
}

/// Window size of this terminal; zeros if it is not a terminal or does not report one.
winsize window_of(int fd) {
    winsize window{};
    return isatty(fd) != 0 && ioctl(fd, TIOCGWINSZ, &window) == 0 ? window : winsize{};
}

} // namespace

size_t line_columns(int fd) {
    const winsize window = window_of(fd);
    return window.ws_col > 0 ? window.ws_col : SIZE_MAX;
}

bool may_colour(int fd) {
    const char* const term = getenv("TERM");
    const char* const refused = getenv("NO_COLOR");
    return isatty(fd) && term != nullptr && strcmp(term, "dumb") != 0 && (refused == nullptr || *refused == '\0');
}

TextScreen TextScreen::of_stdout() {
    TextScreen screen;
    const winsize window = window_of(STDOUT_FILENO);
    screen.is_terminal = isatty(STDOUT_FILENO) != 0;
    screen.width = first_of(window.ws_col, environment_number("COLUMNS"), screen.width);
    screen.height = first_of(window.ws_row, environment_number("LINES"), screen.height);
    screen.utf8 = locale_is_utf8();
    screen.colour = may_colour(STDOUT_FILENO);
    return screen;
}

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
