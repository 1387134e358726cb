// SPDX-License-Identifier: GPL-3.0-or-later
//
// Completion of offsets and lengths on a zoned device.
#pragma once

#include "block/node/limits.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Starts of zones, in the form in which `typed` starts: sizes (`4M`), zone numbers (`1z`) or hexadecimal numbers; also
/// write pointers (`wp`, `1z+wp`). At most a thousand.
std::vector<std::string> zone_offsets(const Limits& limits, std::string_view typed);

/// The lengths of one zone and of the whole device, as sizes and in zones.
std::vector<std::string> zone_lengths(const Limits& limits, std::string_view typed);

} // namespace zoneio
