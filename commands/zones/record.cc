// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/record.h"

#include "commands/text/zone_words.h"

namespace zoneio {

std::string_view type_name(ZoneType type) {
    switch (type) {
    case ZoneType::conventional: return "conventional";
    case ZoneType::sequential_required: return "sequential-required";
    case ZoneType::sequential_preferred: return "sequential-preferred";
    }
    return "unknown";
}

std::string_view state_name(ZoneState state) {
    switch (state) {
    case ZoneState::not_write_pointer: return "not-write-pointer";
    case ZoneState::empty: return "empty";
    case ZoneState::implicit_open: return "implicit-open";
    case ZoneState::explicit_open: return "explicit-open";
    case ZoneState::closed: return "closed";
    case ZoneState::read_only: return "read-only";
    case ZoneState::full: return "full";
    case ZoneState::offline: return "offline";
    }
    return "unknown";
}

void add_zone(JsonRecord& record, const ZoneDescriptor& zone) {
    record.add("start", zone.start);
    record.add("length", zone.length);
    record.add("capacity", zone.capacity);
    const bool has_pointer = zone.write_pointer != no_write_pointer;
    record.add("write_pointer", has_pointer ? std::optional(zone.write_pointer) : std::nullopt);
    record.add("state", state_name(zone.state));
    record.add("type", type_name(zone.type));
}

void add_numbered_zone(JsonRecord& record, uint64_t number, const ZoneDescriptor& zone) {
    record.add("zone", number);
    add_zone(record, zone);
    record.add("written", written_bytes(zone));
}

} // namespace zoneio
