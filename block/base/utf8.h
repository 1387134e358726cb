// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace zoneio {

/// A character and the bytes that it takes.
struct Utf8Character {
    char32_t code;
    size_t length;
};

/// The character that `text` begins with; nothing where that is no UTF-8 (RFC 3629, section 4: no longer forms of
/// shorter ones, no surrogates, nothing above U+10FFFF), or where nothing is left.
std::optional<Utf8Character> first_character(std::string_view text);

/// Code points that no text has (Unicode, section 23.7): U+FDD0 to U+FDEF and the last two of each plane.
bool is_noncharacter(char32_t code);

} // namespace zoneio
