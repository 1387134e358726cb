// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/terminal.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>
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

std::string dimmed(int fd, std::string_view text) {
    return may_colour(fd) ? fmt::format("\033[2m{}\033[0m", text) : std::string(text);
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

} // namespace zoneio
