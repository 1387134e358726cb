// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/error_line.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <unistd.h>

namespace zoneio {

namespace {

/// The length of the character at the front, or 0 where it would tell a terminal to do something, or is no UTF-8.
size_t printable_length(std::string_view text) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    if (byte(0) < 0x80) {
        return byte(0) == '\n' || byte(0) == '\t' || (byte(0) >= 0x20 && byte(0) != 0x7f) ? 1 : 0;
    }
    const size_t length = byte(0) >> 5 == 6 ? 2 : byte(0) >> 4 == 14 ? 3 : byte(0) >> 3 == 30 ? 4 : 0;
    for (size_t i = 1; i < length; i++) {
        if (byte(i) >> 6 != 2) {
            return 0;
        }
    }
    const bool is_control = byte(0) == 0xc2 && byte(1) < 0xa0;
    return is_control ? 0 : length;
}

/// Names of files are others' texts, with whatever bytes: at a terminal they must not move its cursor or set its title.
std::string for_terminal(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const size_t length = printable_length(text);
        shown += length > 0 ? std::string(text.substr(0, length))
                            : fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    return shown;
}

} // namespace

void print_error_line(std::string_view prefix, std::string_view separator, std::string_view text) {
    const bool at_terminal = isatty(STDERR_FILENO) != 0;
    const std::string shown = at_terminal ? for_terminal(text) : std::string();
    fmt::print(stderr, "{}{}{}\n", prefix, separator, at_terminal ? std::string_view(shown) : text);
}

} // namespace zoneio
