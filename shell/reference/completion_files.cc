// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of the completion files for bash(1) and zsh(1): words, and branches of `case` statements.
#include "shell/reference/tables.h"

#include "block/node/driver.h"
#include "block/objects/user_object.h"
#include "block/option_words.h"
#include "block/trace/trace.h"
#include "commands/command_table.h"
#include "shell/options/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace zoneio {

namespace {

std::string joined(std::span<const std::string_view> words, std::string_view separator = " ") {
    return fmt::format("{}", fmt::join(words, separator));
}

std::string names_of_commands() {
    std::vector<std::string_view> names;
    for (const Command* command : command_table()) {
        names.push_back(command->name);
    }
    return joined(names);
}

/// Branches of a `case`, one a line. The template has the end of the last one.
std::string branches(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

bool takes_file(const Command& command) {
    const auto is_file = [](Word word) { return word == Word::file || word == Word::image; };
    return std::any_of(command.words.begin(), command.words.end(), is_file) ||
           std::any_of(command.options.rows().begin(), command.options.rows().end(),
                       [&](const CommandOption* option) { return is_file(option->word); });
}

/// Completions after the name of a command.
std::string command_branches() {
    std::vector<std::string> lines;
    for (const Command* command : command_table()) {
        std::vector<std::string> options;
        for (const CommandOption* const row : command->options.rows()) {
            for (std::string& name : option_names(*row)) {
                options.push_back(std::move(name));
            }
        }
        if (!options.empty() || takes_file(*command)) {
            lines.push_back(fmt::format("        {}{}{}) letters='{}' files='{}' ;;", command->name,
                                        command->altname.empty() ? "" : " | ", command->altname, fmt::join(options, " "),
                                        takes_file(*command) ? "yes" : ""));
        }
    }
    return branches(lines);
}

std::string option_names() {
    std::string names;
    for (const ProcessOption& option : process_options()) {
        names += fmt::format("{}--{}{}", names.empty() ? "" : " ", option.name,
                             option.letter.empty() ? "" : fmt::format(" -{}", option.letter));
    }
    return names;
}

/// `-t | --cache` for a `case`.
std::string pattern_of(const ProcessOption& option) {
    return fmt::format("{}--{}", option.letter.empty() ? "" : fmt::format("-{} | ", option.letter), option.name);
}

std::string mode_branches() {
    std::vector<std::string> lines;
    for (const ProcessOption& option : process_options()) {
        if (!option.words.empty()) {
            lines.push_back(fmt::format("        {}) _zoneio_offer {} ;;", pattern_of(option), joined(option.words)));
        }
    }
    return branches(lines);
}

/// Key of the child node; empty if there is none.
std::string_view child_key(const DriverInfo& info) {
    return !info.own_child.empty() ? info.own_child : info.is_protocol ? std::string_view() : std::string_view("file");
}

/// `file\.|image\.`: prefixes of keys of a child node.
std::string child_pattern() {
    std::set<std::string> keys;
    for (const DriverInfo& info : driver_table()) {
        if (const std::string_view key = child_key(info); !key.empty()) {
            keys.insert(fmt::format("{}\\.", key));
        }
    }
    return fmt::format("{}", fmt::join(keys, "|"));
}

std::string driver_key_branches() {
    std::vector<std::string> lines;
    for (const DriverInfo& info : driver_table()) {
        std::vector<std::string_view> keys(info.option_keys.begin(), info.option_keys.end());
        std::string keys_of_child;
        if (const std::string_view child = child_key(info); !child.empty()) {
            // The child node has its own keys.
            std::erase(keys, child);
            keys_of_child = fmt::format(" {}.", child);
        }
        lines.push_back(fmt::format("        {}) keys+=' {}{}' ;;", info.name, joined(keys), keys_of_child));
    }
    return branches(lines);
}

std::string key_word_branches() {
    std::set<std::string_view> keys(node_option_keys().begin(), node_option_keys().end());
    for (const DriverInfo& info : driver_table()) {
        keys.insert(info.option_keys.begin(), info.option_keys.end());
    }
    std::vector<std::string> lines;
    for (const std::string_view key : keys) {
        if (!option_words(key).empty()) {
            lines.push_back(fmt::format("        {}) values='{}' ;;", key, joined(option_words(key))));
        }
    }
    return branches(lines);
}

/// Escapes text for single quotes in zsh, inside an argument of _arguments(1), which splits at colons and brackets.
std::string for_arguments(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '\'' ? "'\\''" : c == ':' || c == '[' || c == ']' ? fmt::format("\\{}", c) : std::string(1, c);
    }
    return out;
}

std::string zsh_action(const ProcessOption& option) {
    if (!option.words.empty()) {
        return fmt::format("({})", joined(option.words));
    }
    return option.value_name == "FILE" ? "_files" : "_zoneio_" + option.name;
}

std::string zsh_options() {
    std::vector<std::string> lines;
    for (const ProcessOption& option : process_options()) {
        const bool repeats = !option.value_name.empty() && option.words.empty();
        const std::string argument =
            option.value_name.empty() ? "" : fmt::format(":{}:{}", for_arguments(option.value_name), zsh_action(option));
        const std::string text = fmt::format("[{}]{}", for_arguments(option.text), argument);
        const std::string name = fmt::format("--{}{}", option.name, option.value_name.empty() ? "" : "=");
        if (option.letter.empty()) {
            lines.push_back(fmt::format("    '{}{}{}' \\", repeats ? "*" : "", name, text));
        } else {
            const std::string others = repeats ? "'*'" : fmt::format("'(-{} --{})'", option.letter, option.name);
            const std::string plus = option.value_name.empty() ? "" : "+";
            lines.push_back(fmt::format("    {}{{-{}{},{}}}'{}' \\", others, option.letter, plus, name, text));
        }
    }
    return branches(lines);
}

std::string driver_names() {
    std::vector<std::string_view> names;
    for (const DriverInfo& info : driver_table()) {
        names.push_back(info.name);
    }
    return joined(names);
}

struct Value {
    std::string_view name;
    std::string (*text)();
};

constexpr Value values[] = {
    {"child_pattern", child_pattern},
    {"command_branches", command_branches},
    {"command_names", names_of_commands},
    {"option_names", option_names},
    {"mode_branches", mode_branches},
    {"driver_names", driver_names},
    {"driver_key_branches", driver_key_branches},
    {"key_word_branches", key_word_branches},
    {"node_keys", [] { return joined(node_option_keys()); }},
    {"trace_events", [] { return joined(trace_event_names()); }},
    {"object_types", [] { return joined(user_object_types()); }},
    {"zsh_options", zsh_options},
};

} // namespace

std::optional<std::string> completion_text(const Placeholder& placeholder) {
    for (const Value& value : values) {
        if (value.name == placeholder.name && placeholder.arguments.empty()) {
            return value.text();
        }
    }
    return std::nullopt;
}

} // namespace zoneio
