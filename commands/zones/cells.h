// SPDX-License-Identifier: GPL-3.0-or-later
//
// Divides the zones of a device into as many cells as fit. All kinds of maps are drawn from these.
#pragma once

#include "commands/zones/tally.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zoneio {

/// One zone, or several consecutive ones.
struct ZoneCell {
    uint64_t first = 0; ///< number of the first zone
    ZoneTally tally;

    /// The most important state among its zones: read-only or offline, then open, then closed, then the others.
    ZoneState state() const;
    /// False if it is unknown how much is written, as for conventional, read-only and offline zones.
    bool has_fill() const { return tally.capacity > 0; }
    bool is_full() const { return has_fill() && tally.written == tally.capacity; }
    /// How much is written, on a scale from 0 (nothing) to `steps` (everything); partly written zones are in between.
    unsigned level(unsigned steps) const;
};

/// The cells of a device.
struct ZoneCells {
    uint64_t group = 1; ///< zones per cell; the last cell may have fewer
    ZoneTally total;
    std::vector<ZoneCell> cells;
};

/// Reads the zones of a device into at most `most` cells (> 0) of 1, 2, 5, 10, 20... zones each. EINTR: the user
/// interrupted the command.
Result<ZoneCells> read_zone_cells(BlockBackend& backend, uint64_t most);

/// Summary lines above a map: geometry, how much is written, number of open and active zones.
std::vector<std::string> summary_of(const Limits& limits, const ZoneCells& cells);

} // namespace zoneio
