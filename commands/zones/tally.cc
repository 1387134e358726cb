// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/tally.h"

#include "block/base/size.h"
#include "commands/long_work.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

namespace zoneio {

void ZoneTally::add(const ZoneDescriptor& zone) {
    zones++;
    states[state_index(zone.state)]++;
    if (zone.type == ZoneType::conventional) {
        conventional++;
    } else {
        smallest_capacity = largest_capacity == 0 ? zone.capacity : std::min(smallest_capacity, zone.capacity);
        largest_capacity = std::max(largest_capacity, zone.capacity);
    }
    if (const std::optional<uint64_t> bytes = written_bytes(zone)) {
        written += *bytes;
        capacity += zone.capacity;
    }
}

void ZoneTally::add(const ZoneTally& others) {
    zones += others.zones;
    std::transform(states.begin(), states.end(), others.states.begin(), states.begin(), std::plus());
    conventional += others.conventional;
    capacity += others.capacity;
    written += others.written;
    if (others.smallest_capacity != 0) {
        smallest_capacity = smallest_capacity == 0 ? others.smallest_capacity : std::min(smallest_capacity, others.smallest_capacity);
    }
    largest_capacity = std::max(largest_capacity, others.largest_capacity);
}

Result<ZoneTally> tally_zones(BlockBackend& backend) {
    ZoneTally tally;
    uint64_t seen = 0;
    Status status = report_in_pieces(backend, 0, backend.limits().nr_zones,
                                     [&](const ZoneDescriptor& zone) { tally.add(zone); }, seen);
    return status.ok() ? Result<ZoneTally>(tally) : std::move(status);
}

std::string used_text(uint64_t used, uint64_t limit) {
    return limit == 0 ? fmt::format("{}, no limit", used) : fmt::format("{} of {}", used, limit);
}

std::string written_text(const ZoneTally& tally) {
    return fmt::format("{} of {} ({} %)", format_size(tally.written),
                       format_size(tally.capacity), tally.percent());
}

} // namespace zoneio
