// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/completion/line_words.h"

#include "commands/command_table.h"

#include <cstring>

namespace zoneio {

namespace {

/// Does the option with this letter take an argument?
bool takes_argument(const Command& command, char letter) {
    const char* const found = letter != ':' ? strchr(command.options.text(), letter) : nullptr;
    return found != nullptr && found[1] == ':';
}

const option* find_long_option(const Command& command, std::string_view name) {
    for (const option* row = command.long_options; row != nullptr && row->name != nullptr; row++) {
        if (name == row->name) {
            return row;
        }
    }
    return nullptr;
}

} // namespace

LineWords LineWords::parse(std::string_view line) {
    LineWords words;
    while (true) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const size_t end = line.find(' ');
        if (end == std::string_view::npos) {
            words.current = line;
            break;
        }
        words.take_word(line.substr(0, end));
        line.remove_prefix(end);
    }
    const bool may_be_option = words.command != nullptr && words.pending == 0 && !words.options_ended_;
    if (may_be_option && words.current.starts_with('-')) {
        words.is_option = true;
        words.read_option(words.current, true);
    }
    return words;
}

void LineWords::take_word(std::string_view word) {
    if (name.empty()) {
        name = word;
        command = find_command(word);
    } else if (pending != 0) {
        options.push_back({pending, word});
        pending = 0;
    } else if (command == nullptr || options_ended_ || word.size() < 2 || word[0] != '-') {
        operands++;
    } else if (word == "--") {
        options_ended_ = true;
    } else {
        has_options = true;
        read_option(word, false);
    }
}

void LineWords::read_option(std::string_view word, bool is_current) {
    int letter = 0;
    size_t argument = word.size();
    if (word.starts_with("--")) {
        const size_t equals = std::min(word.find('='), word.size());
        const option* const row = find_long_option(*command, word.substr(2, equals - 2));
        letter = row != nullptr && row->has_arg == required_argument ? row->val : 0;
        argument = std::min(equals + 1, word.size());
    } else {
        for (size_t i = 1; i < word.size() && letter == 0; i++) {
            letter = takes_argument(*command, word[i]) ? word[i] : 0;
            argument = i + 1;
        }
    }
    if (letter == 0) {
        return;
    }
    const bool is_attached = argument < word.size() || word.ends_with('=');
    if (is_current) {
        // Without its argument it is an option that may be completed itself.
        pending = is_attached ? letter : 0;
        argument_begin = is_attached ? argument : 0;
        is_option = !is_attached;
    } else if (is_attached) {
        options.push_back({letter, word.substr(argument)});
    } else {
        pending = letter;
    }
}

Word LineWords::kind() const {
    if (at_command()) {
        return Word::command;
    }
    if (command == nullptr || is_option) {
        return Word::other;
    }
    const CommandWords& words = command->words;
    if (pending != 0) {
        for (const OptionWord& row : words.options) {
            if (row.letter == pending) {
                return row.word;
            }
        }
        return Word::other;
    }
    if (operands < words.operands.size()) {
        return words.operands[operands];
    }
    return words.repeats ? words.operands.back() : Word::other;
}

std::optional<std::string_view> LineWords::given(int letter) const {
    for (const GivenOption& option : options) {
        if (option.letter == letter) {
            return option.argument;
        }
    }
    return std::nullopt;
}

} // namespace zoneio
