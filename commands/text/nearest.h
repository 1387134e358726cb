// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// How many letters must be changed, added, left out or swapped with a neighbour to make one word of the other.
size_t edit_distance(std::string_view a, std::string_view b);

/// The known words that somebody who typed `word` may have meant: the nearest one, or up to three that are equally near;
/// none when it is near to none.
std::vector<std::string_view> nearest_words(std::string_view word, std::span<const std::string_view> known);

/// The same in words: `'a' or 'b'`; empty when there is none.
std::string nearest_text(std::string_view word, std::span<const std::string_view> known);

/// All known words, and which was meant: `There are a, b, c; did you mean 'b'?` where `begin` is `There are`.
std::string choices_text(std::string_view begin, std::string_view word, std::span<const std::string_view> known);

} // namespace zoneio
