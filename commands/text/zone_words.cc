// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/zone_words.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

size_t state_index(ZoneState state) {
    const auto found = std::find_if(zone_state_words.begin(), zone_state_words.end(),
                                    [&](const ZoneStateWords& words) { return words.state == state; });
    return std::min<size_t>(static_cast<size_t>(found - zone_state_words.begin()), zone_state_words.size() - 1);
}

std::string_view state_text(ZoneState state) {
    return zone_state_words[state_index(state)].text;
}

std::string zones_text(uint64_t count) {
    return fmt::format("{} {}", count, count == 1 ? "zone" : "zones");
}

std::string_view model_text(ZonedModel model) {
    switch (model) {
    case ZonedModel::host_managed: return "host-managed";
    case ZonedModel::host_aware: return "host-aware";
    case ZonedModel::none: break;
    }
    return "not zoned";
}

std::string_view type_text(ZoneType type) {
    switch (type) {
    case ZoneType::conventional: return "conventional";
    case ZoneType::sequential_required: return "sequential";
    case ZoneType::sequential_preferred: return "preferred";
    }
    return "unknown";
}

bool has_write_pointer(const ZoneDescriptor& zone) {
    const bool takes_writes = zone.state == ZoneState::empty || is_active(zone.state);
    return takes_writes && zone.type != ZoneType::conventional && zone.write_pointer != no_write_pointer;
}

std::optional<uint64_t> written_bytes(const ZoneDescriptor& zone) {
    if (zone.state == ZoneState::full) {
        return zone.capacity;
    }
    if (!has_write_pointer(zone)) {
        return std::nullopt;
    }
    return std::min(zone.write_pointer - std::min(zone.start, zone.write_pointer), zone.capacity);
}

std::optional<unsigned> fill_percent(const ZoneDescriptor& zone) {
    const std::optional<uint64_t> written = written_bytes(zone);
    return written ? std::optional(percent_of(*written, zone.capacity)) : std::nullopt;
}

unsigned percent_of(uint64_t part, uint64_t whole) {
    if (part == 0 || whole == 0) {
        return 0;
    }
    const auto percent = static_cast<unsigned>(static_cast<unsigned __int128>(part) * 100 / whole);
    return std::max(percent, 1U);
}

} // namespace zoneio
