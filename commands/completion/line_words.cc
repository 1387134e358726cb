// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/completion/line_words.h"

#include "commands/command_table.h"

namespace zoneio {

namespace {

/// `option` if it takes an argument, otherwise null.
const CommandOption* with_argument(const CommandOption* option) {
    return option != nullptr && option->takes_argument() ? option : nullptr;
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
    const bool may_be_option = words.command != nullptr && words.pending == nullptr && !words.options_ended_;
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
    } else if (pending != nullptr) {
        options.push_back({pending, word});
        pending = nullptr;
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
    const CommandOption* found = nullptr;
    size_t argument = word.size();
    if (word.starts_with("--")) {
        const size_t equals = std::min(word.find('='), word.size());
        found = with_argument(command->options.find_name(word.substr(2, equals - 2)));
        argument = std::min(equals + 1, word.size());
    } else {
        for (size_t i = 1; i < word.size() && found == nullptr; i++) {
            found = with_argument(command->options.find_letter(word[i]));
            argument = i + 1;
        }
    }
    if (found == nullptr) {
        return;
    }
    const bool is_attached = argument < word.size() || word.ends_with('=');
    if (is_current) {
        // Without its argument, the option itself may be completed.
        pending = is_attached ? found : nullptr;
        argument_begin = is_attached ? argument : 0;
        is_option = !is_attached;
    } else if (is_attached) {
        options.push_back({found, word.substr(argument)});
    } else {
        pending = found;
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
    return pending != nullptr ? pending->word : words[std::min(operands, words.size() - 1)];
}

std::optional<std::string_view> LineWords::given(int letter) const {
    for (const GivenOption& option : options) {
        if (option.option->letter == letter) {
            return option.argument;
        }
    }
    return std::nullopt;
}

} // namespace zoneio
