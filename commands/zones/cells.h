// SPDX-License-Identifier: GPL-3.0-or-later
//
// The zones of a device in as many cells as there is room for: what every kind of map is drawn from.
#pragma once

#include "commands/zones/tally.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zoneio {

/// One zone, or some that follow each other.
struct ZoneCell {
    uint64_t first = 0; ///< number of its first zone
    ZoneTally tally;

    /// What is most worth knowing of its zones: that some are lost, else open, else closed; else what they are.
    ZoneState state() const;
    /// Is known how much is written? Not in conventional zones, nor in those that the device gave up.
    bool has_fill() const { return tally.capacity > 0; }
    bool is_full() const { return has_fill() && tally.written == tally.capacity; }
    /// How much is written on a scale from 0, nothing, to `steps`, all of it; what is in between is neither.
    unsigned level(unsigned steps) const;
};

/// A device on a map.
struct ZoneCells {
    uint64_t group = 1; ///< zones in a cell; the last one may have fewer
    ZoneTally total;
    std::vector<ZoneCell> cells;
};

/// Reads the device into at most `most` cells (> 0), of 1, 2, 5, 10, 20... zones each. EINTR: the user ended it.
Result<ZoneCells> read_zone_cells(BlockBackend& backend, uint64_t most);

/// What there is to say of a device above its map: geometry, how much is written, how many zones are open and active.
std::vector<std::string> summary_of(const Limits& limits, const ZoneCells& cells);

} // namespace zoneio
