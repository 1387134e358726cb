// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// How many letters must be changed, added, left out or swapped with a neighbour to make one word of the other.
size_t edit_distance(std::string_view a, std::string_view b);

/// The known words that somebody who typed `word` may have meant, best first; at most three.
std::vector<std::string_view> nearest_words(std::string_view word, std::span<const std::string_view> known);

/// `did you mean 'a' or 'b'?`; empty when no word is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

} // namespace zoneio
