// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text for people, in lines that fit their terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zoneio {

/// The text with newlines in place of spaces, so that no line takes more than so many columns unless a single word does.
/// Lines behind the first begin with `indent` spaces.
std::string wrapped(std::string_view text, size_t columns, size_t indent);

} // namespace zoneio
