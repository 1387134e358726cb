// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers as text, for lines that are printed a hundred thousand times.
#pragma once

#include <fmt/format.h>

namespace zoneio {

/// Appends `value` with `decimals` decimals (at most 6), exactly as printf's %.Nf; pads it with zeros on the left to
/// `width` characters.
void append_fixed(fmt::memory_buffer& out, double value, unsigned decimals, size_t width = 0);

/// Appends the result of format_size().
void append_size(fmt::memory_buffer& out, double bytes);

} // namespace zoneio
