// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "commands/text/zone_words.h"

#include <array>
#include <cstdint>

namespace zoneio {

/// Sums over zones of a device. Sizes are in bytes.
struct ZoneTally {
    uint64_t zones = 0;
    std::array<uint64_t, zone_state_words.size()> states{}; ///< number of zones in each state, in the order of
                                                            ///< zone_state_words
    uint64_t conventional = 0;                              ///< number of conventional zones
    uint64_t capacity = 0; ///< of zones for which it is known how much is written
    uint64_t written = 0;
    uint64_t smallest_capacity = 0; ///< of sequential zones; 0 if there are none
    uint64_t largest_capacity = 0;

    void add(const ZoneDescriptor& zone);
    /// Adds the sums over other zones.
    void add(const ZoneTally& others);
    uint64_t in(ZoneState state) const { return states[state_index(state)]; }
    uint64_t open() const { return in(ZoneState::implicit_open) + in(ZoneState::explicit_open); }
    uint64_t active() const { return open() + in(ZoneState::closed); }
    unsigned percent() const { return percent_of(written, capacity); }
};

/// Sums over all zones of a device. EINTR: the user interrupted the command.
Result<ZoneTally> tally_zones(BlockBackend& backend);

/// `2 of 4`, or `2, no limit`.
std::string used_text(uint64_t used, uint64_t limit);
/// `1.500 MiB of 48 MiB (3 %)`
std::string written_text(const ZoneTally& tally);

} // namespace zoneio
