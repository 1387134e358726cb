// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zone_tally.h"

#include "block/size.h"

#include <algorithm>
#include <fmt/format.h>

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

Result<ZoneTally> tally_zones(BlockBackend& backend) {
    ZoneTally tally;
    const Result<uint64_t> count =
        backend.zone_report(0, backend.limits().nr_zones, [&](const ZoneDescriptor& zone) { tally.add(zone); });
    return count.ok() ? Result<ZoneTally>(tally) : count.status();
}

std::string used_text(uint64_t used, uint64_t limit) {
    return limit == 0 ? fmt::format("{}, no limit", used) : fmt::format("{} of {}", used, limit);
}

std::string written_text(const ZoneTally& tally) {
    return fmt::format("{} of {} ({} %)", format_size(static_cast<double>(tally.written)),
                       format_size(static_cast<double>(tally.capacity)), tally.percent());
}

} // namespace zoneio
