// SPDX-License-Identifier: GPL-3.0-or-later
//
// Help while a line is typed: what is still missing.
#include "commands/command_table.h"
#include "commands/completion/completion.h"
#include "commands/completion/line_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

struct Usage {
    std::vector<std::string_view> options;  ///< `[-q]`, `[-P pattern [-l len]]`
    std::vector<std::string_view> operands; ///< `off`, `[len..]`
};

/// Takes the arguments of a usage line apart, at spaces outside brackets.
Usage split_usage(std::string_view text) {
    Usage usage;
    size_t begin = 0;
    int depth = 0;
    for (size_t i = 0; i <= text.size(); i++) {
        const char c = i < text.size() ? text[i] : ' ';
        depth += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (c != ' ' || depth > 0) {
            continue;
        }
        const std::string_view part = text.substr(begin, i - begin);
        if (!part.empty()) {
            const bool is_option = part.starts_with("[-") || part.starts_with("[(-");
            (is_option ? usage.options : usage.operands).push_back(part);
        }
        begin = i + 1;
    }
    return usage;
}

/// What an option's argument is called: `pattern` where the usage line has `-P pattern`, or the help `-P PATTERN`.
std::string argument_name(const Command& command, int letter) {
    for (std::string_view text : {std::string_view(command.args != nullptr ? command.args : ""), command.help, command.manual}) {
        for (size_t at = text.find('-'); at != std::string_view::npos; at = text.find('-', at + 1)) {
            const std::string_view rest = text.substr(at + 1);
            if (rest.size() < 3 || rest[0] != letter || rest[1] != ' ' || rest[2] == ' ' || rest[2] == '|') {
                continue;
            }
            std::string name(rest.substr(2, std::min(rest.find_first_of(" ]|\n", 2), rest.size()) - 2));
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return tolower(c); });
            return name;
        }
    }
    return {};
}

} // namespace

std::string argument_hint(std::string_view line) {
    const LineWords words = LineWords::parse(line);
    const bool is_name = words.at_command();
    const Command* const command = is_name ? find_command(words.current) : words.command;
    if (command == nullptr || command->args == nullptr) {
        return {};
    }
    const bool between = words.current.empty();
    if (words.pending != 0 && between) {
        return argument_name(*command, words.pending);
    }
    const Usage usage = split_usage(command->args);
    std::vector<std::string_view> missing;
    const bool is_first = is_name || (words.operands == 0 && !words.has_options && between);
    if (is_first) {
        missing = usage.options;
    }
    const bool is_operand = !is_name && !between && !words.is_option && words.pending == 0;
    const size_t taken = words.operands + (is_operand ? 1 : 0);
    for (size_t i = taken; i < usage.operands.size(); i++) {
        missing.push_back(usage.operands[i]);
    }
    if (taken >= usage.operands.size() && !usage.operands.empty() && usage.operands.back().ends_with("..]")) {
        missing.push_back(usage.operands.back());
    }
    return missing.empty() ? std::string() : fmt::format("{}{}", between ? "" : " ", fmt::join(missing, " "));
}

} // namespace zoneio
