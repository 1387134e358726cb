// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/hint.h"

#include "commands/completion/completion.h"
#include "commands/text/terminal.h"
#include "shell/terminal/readline.h"

#include <cstdio>
#include <cstring>
#include <cwchar>
#include <poll.h>
#include <unistd.h>

namespace zoneio {

namespace {

struct HintState {
    std::string prompt;
    bool allowed = false;
    bool shown = false;
};
HintState hint;

/// Number of columns of a text. Empty if it is unknown, because of control characters or invalid bytes.
std::optional<size_t> columns_of(std::string_view text) {
    std::mbstate_t state{};
    size_t columns = 0;
    while (!text.empty()) {
        wchar_t character = 0;
        const size_t length = mbrtowc(&character, text.data(), text.size(), &state);
        const int width = length > 0 && length <= text.size() ? wcwidth(character) : -1;
        if (width < 0) {
            return std::nullopt;
        }
        columns += static_cast<size_t>(width);
        text.remove_prefix(length);
    }
    return columns;
}

bool input_waits() {
    pollfd event{STDIN_FILENO, POLLIN, 0};
    return poll(&event, 1, 0) > 0;
}

/// True if a line is being edited normally, with the cursor at its end.
bool at_end_of_line() {
    const char* const scrolls = readline().rl_variable_value("horizontal-scroll-mode");
    const bool more_comes = (*readline().rl_readline_state & (RL_STATE_DONE | RL_STATE_INPUTPENDING | RL_STATE_MACROINPUT)) != 0;
    return !more_comes && *readline().rl_end > 0 && *readline().rl_point == *readline().rl_end && *readline().rl_display_prompt == *readline().rl_prompt &&
           (scrolls == nullptr || strcmp(scrolls, "off") == 0);
}

/// Free columns after the cursor in its row; 0 if unknown.
size_t room_behind(std::string_view line) {
    int rows = 0;
    int width = 0;
    readline().rl_get_screen_size(&rows, &width);
    const std::optional<size_t> prompt = columns_of(hint.prompt);
    const std::optional<size_t> typed = columns_of(line);
    if (!prompt || !typed || width <= 0) {
        return 0;
    }
    const auto screen = static_cast<size_t>(width);
    const size_t column = (*prompt + *typed) % screen;
    // A wide character that does not fit into the end of a row leaves a gap of unknown size.
    const bool has_gaps = *typed != line.size() && *prompt + *typed >= screen;
    return column == 0 || has_gaps ? 0 : screen - 1 - column;
}

} // namespace

void LineHint::install(const std::string& prompt) {
    const char* const wanted = getenv("ZONEIO_HINTS");
    hint.prompt = prompt;
    hint.allowed = may_colour(STDOUT_FILENO) && (wanted == nullptr || strcmp(wanted, "off") != 0);
    *readline().rl_redisplay_function = redisplay;
}

void LineHint::erase() {
    if (hint.shown) {
        fputs("\033[J", *readline().rl_outstream);
        hint.shown = false;
    }
}

void LineHint::redisplay() {
    erase();
    readline().rl_redisplay();
    if (!hint.allowed || !at_end_of_line() || input_waits()) {
        return;
    }
    const std::string_view line(*readline().rl_line_buffer, static_cast<size_t>(*readline().rl_end));
    constexpr size_t least_room = 10;
    const size_t room = room_behind(line);
    std::string text = argument_hint(line);
    if (text.size() > room) {
        text = room < least_room ? std::string() : text.substr(0, room - 3) + "...";
    }
    if (!text.empty()) {
        fprintf(*readline().rl_outstream, "\033[2m%s\033[0m\033[%zuD", text.c_str(), text.size());
        fflush(*readline().rl_outstream);
        hint.shown = true;
    }
}

} // namespace zoneio
