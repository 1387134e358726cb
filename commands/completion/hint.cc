// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hint about missing arguments while a line is typed.
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

/// Splits the arguments of a usage line at spaces outside brackets.
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

/// Name of an option's argument in lower case, as in usage lines.
std::string argument_name(const CommandOption& option) {
    std::string name(option.argument);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return tolower(c); });
    return name;
}

} // namespace

std::string argument_hint(std::string_view line) {
    const LineWords words = LineWords::parse(line);
    const bool is_name = words.at_command();
    const Command* const command = is_name ? find_command(words.current) : words.command;
    const std::string arguments = command != nullptr ? usage_arguments(*command) : std::string();
    if (arguments.empty()) {
        return {};
    }
    const bool between = words.current.empty();
    if (words.pending != nullptr && between) {
        return argument_name(*words.pending);
    }
    const Usage usage = split_usage(arguments);
    std::vector<std::string_view> missing;
    const bool is_first = is_name || (words.operands == 0 && !words.has_options && between);
    if (is_first) {
        missing = usage.options;
    }
    const bool is_operand = !is_name && !between && !words.is_option && words.pending == nullptr;
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
