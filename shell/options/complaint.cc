// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/options/complaint.h"

#include "commands/text/nearest.h"
#include "commands/text/safe_text.h"

#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace zoneio {

namespace {

/// The options for a name: one if the name is complete or an unambiguous abbreviation.
std::vector<const option*> find_options(std::span<const option> table, std::string_view name) {
    std::vector<const option*> found;
    for (const option& row : table) {
        if (row.name == nullptr || !std::string_view(row.name).starts_with(name)) {
            continue;
        }
        if (name == row.name) {
            return {&row};
        }
        found.push_back(&row);
    }
    return found;
}

/// The error about a long option; empty if getopt complained about something else.
std::string long_complaint(std::string_view word, std::span<const option> table) {
    const std::string_view name = word.substr(2, word.find('=') - 2);
    const std::vector<const option*> found = find_options(table, name);
    if (found.empty()) {
        return fmt::format("unrecognized option '--{}'", name);
    }
    if (found.size() > 1) {
        return fmt::format("option '--{}' is ambiguous", name);
    }
    const bool has_argument = word.find('=') != std::string_view::npos;
    if (has_argument && found[0]->has_arg == no_argument) {
        return fmt::format("option '--{}' doesn't allow an argument", found[0]->name);
    }
    return !has_argument && found[0]->has_arg == required_argument
               ? fmt::format("option '--{}' requires an argument", found[0]->name)
               : std::string();
}

/// The word at which getopt stopped.
std::string_view last_word(std::span<char* const> words) {
    const auto last = static_cast<size_t>(optind - 1);
    return last < words.size() ? std::string_view(words[last]) : std::string_view();
}

} // namespace

bool asks_for_json(std::span<char* const> words) {
    for (size_t i = 1; i < words.size(); i++) {
        const std::string_view word = words[i];
        if (word == "--") {
            return false;
        }
        if (word == "--output=json" || (word == "--output" && i + 1 < words.size() && std::string_view(words[i + 1]) == "json")) {
            return true;
        }
    }
    return false;
}

std::string option_complaint(std::span<char* const> words, std::span<const option> table, const std::string& letters) {
    const std::string_view word = last_word(words);
    if (word.starts_with("--")) {
        // Inside a cluster of letters, it is the word before.
        if (std::string text = long_complaint(word, table); !text.empty()) {
            return text;
        }
    }
    return getopt_complaint(letters);
}

std::string meant_option(std::span<char* const> words, std::span<const option> table) {
    const std::string_view word = last_word(words);
    if (!word.starts_with("--") || word.size() == 2) {
        return {};
    }
    const std::string_view name = word.substr(2, word.find('=') - 2);
    std::vector<std::string_view> names;
    for (const option& row : table) {
        if (row.name != nullptr) {
            names.emplace_back(row.name);
        }
    }
    const std::vector<std::string_view> nearest = find_options(table, name).empty() ? nearest_words(name, names)
                                                                                    : std::vector<std::string_view>();
    return nearest.empty() ? std::string() : std::string(nearest.front());
}

} // namespace zoneio
