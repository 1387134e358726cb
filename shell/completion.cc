// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/completion.h"

#include "commands/command.h"
#include "shell/readline.h"

#include <cstdio>
#include <cstring>

namespace zoneio {

namespace {

/// Readline asks for one match after the other; `state` is 0 for the first.
char* next_command(const char* text, int state) {
    static size_t index = 0;
    index = state == 0 ? 0 : index;
    const std::span<const Command* const> table = command_table();
    while (index < table.size()) {
        const std::string name(table[index++]->name);
        if (name.starts_with(text)) {
            return strdup(name.c_str());
        }
    }
    return nullptr;
}

char** complete(const char* text, int begin, int /*end*/) {
    const bool first_word = std::string_view(*readline().rl_line_buffer, static_cast<size_t>(begin)).find_first_not_of(' ') ==
                            std::string_view::npos;
    if (!first_word) {
        return nullptr;
    }
    *readline().rl_attempted_completion_over = 1;
    return readline().rl_completion_matches(text, next_command);
}

} // namespace

void install_completion() {
    // Words are what the command line is split into: nothing but a space ends one.
    *readline().rl_basic_word_break_characters = " ";
    *readline().rl_completer_word_break_characters = " ";
    *readline().rl_completer_quote_characters = "";
    *readline().rl_attempted_completion_function = complete;
}

} // namespace zoneio
