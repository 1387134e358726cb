// SPDX-License-Identifier: GPL-3.0-or-later
//
// All texts about a command's options list the same options: getopt(3), usage, help, completion, the manual and bash's
// completion file.
#include "commands/command_help.h"
#include "commands/command_table.h"
#include "commands/completion/completion.h"
#include "commands/text/help_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace zoneio {
namespace {

using Names = std::set<std::string>;

constexpr std::string_view name_characters = "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Words of a text that start with a dash.
Names dashed_words(std::string_view text) {
    Names names;
    for (size_t at = text.find('-'); at != std::string_view::npos; at = text.find('-', at)) {
        const bool is_in_word = at > 0 && isalnum(static_cast<unsigned char>(text[at - 1])) != 0;
        const size_t end = std::min(text.find_first_not_of(name_characters, at), text.size());
        if (!is_in_word) {
            names.emplace(text.substr(at, end - at));
        }
        at = end;
    }
    return names;
}

Names names_of_rows(const Command& command) {
    Names names;
    for (const CommandOption* const row : command.options.rows()) {
        for (std::string& name : option_names(*row)) {
            EXPECT_TRUE(names.insert(name).second) << command.name << " has " << name << " twice";
        }
    }
    return names;
}

Names names_for_getopt(const Command& command) {
    Names names;
    for (const char letter : std::string_view(command.options.letters())) {
        if (letter != ':') {
            names.insert(fmt::format("-{}", letter));
        }
    }
    for (const option* row = command.options.long_options(); row != nullptr && row->name != nullptr; row++) {
        names.insert(fmt::format("--{}", row->name));
    }
    return names;
}

Names names_in_help(const Command& command) {
    Names names;
    const std::string text = manual_of(command);
    for (const HelpBlock& block : parse_help(text)) {
        if (block.kind == HelpBlock::Kind::option) {
            names.merge(dashed_words(block.tag));
        }
    }
    return names;
}

Names names_in_completion(const Command& command) {
    Session session("zoneio");
    const Completions found = complete(session, fmt::format("{} -", command.name));
    return {found.matches.begin(), found.matches.end()};
}

/// Names in the usage line: `-Cq` contains two.
Names names_in_usage(const Command& command) {
    Names names;
    for (const std::string& word : dashed_words(usage_arguments(command))) {
        for (size_t i = 1; i < word.size() && !word.starts_with("--"); i++) {
            names.insert(fmt::format("-{}", word[i]));
        }
        if (word.starts_with("--")) {
            names.insert(word);
        }
    }
    return names;
}

std::string content(const std::string& name) {
    std::ifstream file(std::string(ZONEIO_REFERENCE_DIR) + "/" + name);
    EXPECT_TRUE(file.is_open()) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string without_roff(std::string_view line) {
    std::string text;
    for (size_t i = 0; i < line.size(); i++) {
        if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == 'f') {
            i += 2;
        } else if (line[i] == '\\') {
            continue;
        } else {
            text += line[i];
        }
    }
    return text;
}

/// Options in zoneio-commands(7), by command.
std::map<std::string, Names> names_in_manual() {
    std::map<std::string, Names> names;
    std::string command;
    bool is_tag = false;
    std::istringstream page(content("zoneio-commands.7"));
    for (std::string line; std::getline(page, line); is_tag = line == ".TP") {
        if (line.starts_with(".SS ")) {
            command = without_roff(line.substr(4));
        } else if (is_tag) {
            names[command].merge(dashed_words(without_roff(line)));
        }
    }
    return names;
}

/// Options in bash's completion file, by command: `read | r) letters='-P -s' files='' ;;`.
std::map<std::string, Names> names_in_bash() {
    std::map<std::string, Names> names;
    std::istringstream file(content("zoneio.bash"));
    constexpr std::string_view key = "letters='";
    for (std::string line; std::getline(file, line);) {
        const size_t letters = line.find(key);
        const size_t begin = line.find_first_not_of(' ');
        if (letters == std::string::npos || line.find(')') > letters) {
            continue;
        }
        const size_t end = line.find('\'', letters + key.size());
        names[line.substr(begin, line.find_first_of(" )", begin) - begin)] = dashed_words(line.substr(letters, end - letters));
    }
    return names;
}

TEST(CommandOptions, AreTheSameInAllTexts) {
    std::map<std::string, Names> manual = names_in_manual();
    std::map<std::string, Names> bash = names_in_bash();
    size_t options = 0;
    for (const Command* const command : command_table()) {
        SCOPED_TRACE(command->name);
        const Names names = names_of_rows(*command);
        options += names.size();
        EXPECT_EQ(names_for_getopt(*command), names);
        EXPECT_EQ(names_in_help(*command), names);
        EXPECT_EQ(names_in_completion(*command), names);
        EXPECT_EQ(manual[std::string(command->name)], names);
        EXPECT_EQ(bash[std::string(command->name)], names);
    }
    EXPECT_GT(options, 80U);
}

TEST(CommandOptions, AppearInTheUsageLine) {
    // qemu-io's own usage text, which suites compare, lists options that it does not accept and omits some that it
    // does.
    const std::map<std::string_view, Names> only_taken{
        {"read", {"-p"}}, {"write", {"-p"}}, {"open", {"-i"}}, {"zone_append", {"-p"}}};
    const std::map<std::string_view, Names> only_told{{"read", {"-a"}}};
    const auto in = [](const auto& exceptions, std::string_view name) {
        const auto found = exceptions.find(name);
        return found != exceptions.end() ? found->second : Names();
    };
    for (const Command* const command : command_table()) {
        SCOPED_TRACE(command->name);
        Names taken = names_of_rows(*command);
        Names told = names_in_usage(*command);
        if (command->args == nullptr) {
            // If an option has two names, the text has the letter.
            for (const CommandOption* const row : command->options.rows()) {
                if (row->letter != '\0' && row->name != nullptr) {
                    taken.erase(fmt::format("--{}", row->name));
                }
            }
        }
        for (const std::string& name : in(only_taken, command->name)) {
            taken.erase(name);
            told.erase(name);
        }
        for (const std::string& name : in(only_told, command->name)) {
            EXPECT_EQ(told.erase(name), 1U) << name;
        }
        EXPECT_EQ(told, taken);
    }
}

TEST(CommandOptions, HaveAHelpText) {
    for (const Command* const command : command_table()) {
        for (const CommandOption* const row : command->options.rows()) {
            EXPECT_FALSE(row->help.empty()) << command->name << " " << option_tag(*row);
            EXPECT_TRUE(row->word == Word::other || row->takes_argument()) << command->name << " " << option_tag(*row);
        }
    }
}

} // namespace
} // namespace zoneio
