// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/cells.h"

#include "block/base/size.h"
#include "commands/long_work.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// The smallest of 1, 2, 5, 10, 20... that suffices, so that rows start with round numbers.
uint64_t round_group(uint64_t zones, uint64_t most) {
    for (uint64_t power = 1;; power *= 10) {
        for (const uint64_t step : {UINT64_C(1), UINT64_C(2), UINT64_C(5)}) {
            const uint64_t group = power * step;
            if ((zones + group - 1) / group <= most) {
                return group;
            }
        }
    }
}

} // namespace

ZoneState ZoneCell::state() const {
    for (const ZoneState state : {ZoneState::offline, ZoneState::read_only, ZoneState::explicit_open,
                                  ZoneState::implicit_open, ZoneState::closed}) {
        if (tally.in(state) > 0) {
            return state;
        }
    }
    if (tally.in(ZoneState::full) > 0) {
        return ZoneState::full;
    }
    return tally.in(ZoneState::empty) > 0 ? ZoneState::empty : ZoneState::not_write_pointer;
}

unsigned ZoneCell::level(unsigned steps) const {
    if (tally.written == 0 || is_full()) {
        return tally.written == 0 ? 0 : steps;
    }
    const auto level = static_cast<unsigned>(static_cast<unsigned __int128>(tally.written) * steps / tally.capacity);
    return std::clamp(level, 1U, steps - 1);
}

Result<ZoneCells> read_zone_cells(BlockBackend& backend, uint64_t most) {
    ZoneCells map;
    const uint64_t zones = backend.limits().nr_zones;
    map.group = round_group(zones, most);
    map.cells.reserve((zones + map.group - 1) / map.group);
    const auto add = [&](const ZoneDescriptor& zone) {
        if (map.cells.empty() || map.cells.back().tally.zones == map.group) {
            map.cells.push_back({.first = map.cells.size() * map.group, .tally = {}});
        }
        map.cells.back().tally.add(zone);
    };
    uint64_t seen = 0;
    TRY(report_in_pieces(backend, 0, zones, add, seen));
    for (const ZoneCell& cell : map.cells) {
        map.total.add(cell.tally);
    }
    return map;
}

std::vector<std::string> summary_of(const Limits& limits, const ZoneCells& cells) {
    const ZoneTally& total = cells.total;
    std::vector<std::string> summary;
    const std::string size = format_size(limits.zone_size);
    summary.push_back(fmt::format("{}, {} zones of {}", model_text(limits.zoned), total.zones, size));
    summary.push_back("written " + written_text(total));
    summary.push_back("open " + used_text(total.open(), limits.max_open_zones));
    summary.push_back("active " + used_text(total.active(), limits.max_active_zones));
    if (cells.group > 1) {
        summary.push_back(fmt::format("each cell {} zones", cells.group));
    }
    return summary;
}

} // namespace zoneio
