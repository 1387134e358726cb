// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Number of letters to change, insert, delete or swap with a neighbour to turn one word into the other.
size_t edit_distance(std::string_view a, std::string_view b);

/// Known words that the user may have meant by `word`: the nearest one, or up to three that are equally near. Empty if
/// none is near.
std::vector<std::string_view> nearest_words(std::string_view word, std::span<const std::string_view> known);

/// nearest_words() as text: `'a' or 'b'`; empty if there is none.
std::string nearest_text(std::string_view word, std::span<const std::string_view> known);

/// Lists the known words and suggests one: `There are a, b, c; did you mean 'b'?`, if `begin` is `There are`.
std::string choices_text(std::string_view begin, std::string_view word, std::span<const std::string_view> known);

} // namespace zoneio
