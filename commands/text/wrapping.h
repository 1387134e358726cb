// SPDX-License-Identifier: GPL-3.0-or-later
//
// Line breaking for text on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Replaces spaces by newlines so that no line exceeds `columns` columns, unless a single word does. Lines after the
/// first are indented by `indent` spaces.
std::string wrapped(std::string_view text, size_t columns, size_t indent);

/// The lines of a text.
std::vector<std::string> lines_of(std::string_view text);

} // namespace zoneio
