// SPDX-License-Identifier: GPL-3.0-or-later
//
// Offsets and lengths on a zoned device, for completion.
#pragma once

#include "block/node/limits.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Where zones begin, in the way in which `typed` begins: as sizes (`4M`), numbers of zones (`1z`) or hexadecimal; and
/// write pointers (`wp`, `1z+wp`). Of many, the first thousand.
std::vector<std::string> zone_offsets(const Limits& limits, std::string_view typed);

/// One zone and the whole device, as sizes and in zones.
std::vector<std::string> zone_lengths(const Limits& limits, std::string_view typed);

} // namespace zoneio
