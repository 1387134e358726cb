// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/geometry.h"

#include "block/base/size.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

Status impossible(std::string text) {
    return Status::invalid("impossible zoned device: " + std::move(text));
}

} // namespace

uint64_t ZoneGeometry::effective_max_active() const {
    return max_active_zones < zone_count() - conventional_zones ? max_active_zones : 0;
}

uint64_t ZoneGeometry::effective_max_open() const {
    const uint64_t active = effective_max_active();
    const uint64_t open = active != 0 && max_open_zones > active ? active : max_open_zones;
    return open < zone_count() - conventional_zones ? open : 0;
}

Status ZoneGeometry::check() const {
    if (block_size != 512 && block_size != 4096) {
        return impossible(fmt::format("logical_block_size is {}, but must be 512 or 4096", block_size));
    }
    if (size == 0 || size % block_size != 0) {
        return impossible(fmt::format("size ({}) must be a multiple of logical_block_size ({}), and not 0", size, block_size));
    }
    if (size > static_cast<uint64_t>(max_image_length)) {
        return impossible(fmt::format("size ({}) exceeds {}", size, max_image_length));
    }
    if (zone_size == 0 || zone_size % block_size != 0) {
        return impossible(fmt::format("zone.size ({}) must be a multiple of logical_block_size ({}), and not 0", zone_size,
                                      block_size));
    }
    if (zone_size > largest_zone) {
        return impossible(fmt::format("zone.size ({}) exceeds {}", zone_size, largest_zone));
    }
    if (zone_capacity == 0 || zone_capacity % block_size != 0) {
        return impossible(fmt::format("zone.capacity ({}) must be a multiple of logical_block_size ({}), and not 0",
                                      zone_capacity, block_size));
    }
    if (zone_capacity > zone_size) {
        return impossible(fmt::format("zone.capacity ({}) exceeds zone.size ({})", zone_capacity, zone_size));
    }
    if (zone_count() > most_zones) {
        return impossible(fmt::format("{} zones exceed the limit of {}", zone_count(), most_zones));
    }
    if (conventional_zones >= zone_count()) {
        return impossible(fmt::format("zone.conventional_zones ({}) leaves none of the {} zones sequential",
                                      conventional_zones, zone_count()));
    }
    if (max_append_bytes % block_size != 0) {
        return impossible(fmt::format("zone.max_append_bytes ({}) must be a multiple of logical_block_size ({})",
                                      max_append_bytes, block_size));
    }
    if (max_open_zones > UINT32_MAX || max_active_zones > UINT32_MAX) {
        return impossible("zone.max_open_zones and zone.max_active_zones must be below 2^32");
    }
    return {};
}

} // namespace zoneio
