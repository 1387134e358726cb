// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/utf8.h"

namespace zoneio {

std::optional<Utf8Character> first_character(std::string_view text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || text.size() < length) {
        return std::nullopt;
    }
    char32_t code = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if (byte(i) >> 6 != 2) {
            return std::nullopt;
        }
        code = code << 6 | (byte(i) & 0x3FU);
    }
    static constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest[length] || code > 0x10FFFF || is_surrogate) {
        return std::nullopt;
    }
    return Utf8Character{code, length};
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::optional<Utf8Character> next = first_character(text);
        if (!next) {
            return false;
        }
        text.remove_prefix(next->length);
    }
    return true;
}

bool is_noncharacter(char32_t code) {
    return (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

} // namespace zoneio
