// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/wrapping.h"

#include <algorithm>

namespace zoneio {

namespace {

/// Where to break a line that starts with this text: after the last word that fits, or after the first one if none
/// fits. npos: no break.
size_t find_break(std::string_view text, size_t columns) {
    const size_t begin = std::min(text.find_first_not_of(' '), text.size());
    size_t column = begin;
    size_t found = std::string_view::npos;
    for (size_t i = begin; i < text.size(); i++) {
        if (text[i] == ' ' && text[i - 1] != ' ') {
            if (column > columns) {
                return found != std::string_view::npos ? found : i;
            }
            found = i;
        }
        // Only the first byte of a UTF-8 character counts as a column.
        column += (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80 ? 1 : 0;
    }
    return column > columns ? found : std::string_view::npos;
}

} // namespace

std::string wrapped(std::string_view text, size_t columns, size_t indent) {
    std::string lines;
    size_t room = columns;
    for (size_t end = find_break(text, room); end != std::string_view::npos; end = find_break(text, room)) {
        lines += text.substr(0, end);
        lines += '\n' + std::string(indent, ' ');
        text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
        room = columns - std::min(columns, indent);
    }
    return lines.append(text);
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        lines.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

} // namespace zoneio
