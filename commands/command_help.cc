// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_help.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// Column of the options' texts: after the longest option, and the same for most commands.
size_t text_column(const OptionTable& options) {
    constexpr size_t indent = 2;
    constexpr size_t usual = 15;
    constexpr size_t usual_with_names = 21;
    size_t longest = 0;
    bool has_names = false;
    for (const CommandOption* const row : options.rows()) {
        longest = std::max(longest, option_tag(*row).size());
        has_names = has_names || row->name != nullptr;
    }
    return std::max(indent + longest + 2, has_names ? usual_with_names : usual);
}

/// One option in the help. All lines of its text start in the same column.
std::string option_help(const CommandOption& row, size_t column) {
    std::string text(row.help);
    if (!row.fallback.empty()) {
        text += fmt::format("; default: {}", row.fallback);
    }
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
        text.insert(end + 1, column, ' ');
    }
    return fmt::format("  {:<{}}{}\n", option_tag(row), column - 2, text);
}

/// Position of the example, which ends a help text; the size of the text if there is none.
size_t example_start(std::string_view help) {
    return std::min(help.find("\nExample: "), help.size());
}

/// The help text, with options and notes inserted before the example.
std::string with_options(std::string_view about, const Command& command) {
    const std::string_view example = about.substr(example_start(about));
    std::string text(about.substr(0, example_start(about)));
    const size_t column = text_column(command.options);
    for (const CommandOption* const row : command.options.rows()) {
        text += fmt::format("{}{}", row == command.options.rows().front() ? "\n" : "", option_help(*row, column));
    }
    if (!command.notes.empty()) {
        text += fmt::format("\n{}", command.notes);
    }
    return text.append(example);
}

} // namespace

std::string help_of(const Command& command) {
    return command.help.empty() ? std::string() : with_options(command.help, command);
}

std::string manual_of(const Command& command) {
    const std::string_view about = command.help.empty() ? command.manual : command.help;
    return about.empty() ? std::string() : with_options(about, command);
}

} // namespace zoneio
