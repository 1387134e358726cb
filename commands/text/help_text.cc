// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/help_text.h"

#include "commands/text/wrapping.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace zoneio {

namespace {

constexpr std::string_view example_word = "Example: ";

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

/// Parses `  -P PATTERN   effect`.
std::optional<HelpBlock> parse_option(std::string_view line) {
    if (line.size() < 3 || !line.starts_with("  ") || line[2] == ' ') {
        return std::nullopt;
    }
    const size_t gap = line.find("  ", 2);
    const size_t text = gap == std::string_view::npos ? gap : line.find_first_not_of(' ', gap);
    if (text == std::string_view::npos) {
        return std::nullopt;
    }
    return HelpBlock{HelpBlock::Kind::option, line.substr(2, gap - 2), text, std::string(line.substr(text))};
}

/// The block that starts with this line; empty if the line continues the block before.
std::optional<HelpBlock> parse_begin(std::string_view line) {
    if (line.starts_with(example_word)) {
        return HelpBlock{HelpBlock::Kind::example, {}, 0, std::string(line.substr(example_word.size()))};
    }
    return parse_option(line);
}

std::string laid_out(const HelpBlock& block, size_t columns) {
    // In narrower columns, text is unreadable.
    constexpr size_t narrowest = 20;
    constexpr size_t small_indent = 8;
    switch (block.kind) {
    case HelpBlock::Kind::paragraph: return wrapped(block.text, columns, 0);
    case HelpBlock::Kind::example: return wrapped(fmt::format("{}{}", example_word, block.text), columns, small_indent);
    case HelpBlock::Kind::option: break;
    }
    const bool fits_beside = columns >= block.text_column + narrowest;
    return wrapped(fmt::format("  {:<{}}{}", block.tag, block.text_column - 2, block.text), columns,
                   fits_beside ? block.text_column : small_indent);
}

/// Puts a space before every line that is not empty.
std::string behind_space(std::string_view text) {
    std::string lines;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        lines += fmt::format("{}{}\n", line.empty() ? "" : " ", line);
    }
    return lines;
}

bool fits(std::string_view text, size_t columns) {
    while (!text.empty()) {
        if (take_line(text).size() + 1 > columns) {
            return false;
        }
    }
    return true;
}

} // namespace

std::vector<HelpBlock> parse_help(std::string_view help) {
    std::vector<HelpBlock> blocks;
    bool after_blank = false;
    while (!help.empty()) {
        const std::string_view line = take_line(help);
        if (line.empty()) {
            after_blank = true;
            continue;
        }
        if (std::optional<HelpBlock> begun = parse_begin(line)) {
            blocks.push_back(std::move(*begun));
        } else if (after_blank || blocks.empty()) {
            blocks.push_back({.text = std::string(line)});
        } else {
            blocks.back().text += fmt::format(" {}", line.substr(std::min(line.find_first_not_of(' '), line.size())));
            continue;
        }
        blocks.back().after_blank = after_blank;
        after_blank = false;
    }
    return blocks;
}

std::string help_for_screen(std::string_view help, size_t columns) {
    if (fits(help, columns)) {
        return behind_space(help);
    }
    std::string text;
    for (const HelpBlock& block : parse_help(help)) {
        text += fmt::format("{}{}\n", block.after_blank ? "\n" : "", laid_out(block, columns - 1));
    }
    return behind_space(text);
}

} // namespace zoneio
