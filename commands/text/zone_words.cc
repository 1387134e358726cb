// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/zone_words.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

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
