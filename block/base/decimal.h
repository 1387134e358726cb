// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers as text, for the lines that are printed a hundred thousand times.
#pragma once

#include <fmt/format.h>

namespace zoneio {

/// Appends a number with so many decimals (at most 6), exactly as printf's %.Nf does; with zeros in front up to `width`.
void append_fixed(fmt::memory_buffer& out, double value, unsigned decimals, size_t width = 0);

/// Appends what format_size() gives.
void append_size(fmt::memory_buffer& out, double bytes);

} // namespace zoneio
