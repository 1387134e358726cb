// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace zoneio {

/// A character, and the number of bytes that encode it.
struct Utf8Character {
    char32_t code;
    size_t length;
};

/// The first character of `text`. Empty at the end of `text` and for bytes that are not UTF-8 (RFC 3629, section 4:
/// overlong forms, surrogates, values above U+10FFFF).
std::optional<Utf8Character> first_character(std::string_view text);

/// True if all of `text` is UTF-8.
bool is_utf8(std::string_view text);

/// True for noncharacters (Unicode, section 23.7): U+FDD0 to U+FDEF and the last two code points of each plane.
bool is_noncharacter(char32_t code);

} // namespace zoneio
