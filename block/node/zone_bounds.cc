// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/zone_bounds.h"

#include "block/base/size.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

Status check_zone_offset(const Limits& limits, uint64_t offset) {
    if (offset % limits.zone_size == 0) {
        return {};
    }
    return Status::invalid(fmt::format("sector offset {} is not aligned to zone size {}", offset / sector_size,
                                       limits.zone_size / sector_size))
        .because(Cause::offset_inside_zone, {.limit = limits.zone_size});
}

} // namespace

Status check_zone_range(const Limits& limits, uint64_t length, uint64_t offset, uint64_t bytes) {
    TRY(check_zone_offset(limits, offset));
    if (offset + bytes < length && bytes % limits.zone_size != 0) {
        return Status::invalid(fmt::format("number of sectors {} is not aligned to zone size {}",
                                             bytes / sector_size, limits.zone_size / sector_size))
                     .because(Cause::range_not_zones, {.limit = limits.zone_size});
    }
    return {};
}

Status check_zone_append(const Limits& limits, uint64_t length, uint64_t offset, std::span<const uint64_t> lengths) {
    TRY(check_zone_offset(limits, offset));
    for (size_t i = 0; i < lengths.size() && limits.write_granularity != 0; i++) {
        if (lengths[i] % limits.write_granularity != 0) {
            return Status::invalid(fmt::format("len of IOVector[{}] {} is not aligned to block size {}", i, lengths[i],
                                               limits.write_granularity))
                .because(Cause::append_misaligned, {.limit = limits.write_granularity});
        }
    }
    return offset < length ? Status() : Status::from_errno(EIO);
}

Status check_zoned_child(const DriverInfo& parent, const Limits& child) {
    if (child.zoned != ZonedModel::host_managed || parent.takes_zoned_child) {
        return {};
    }
    return Status::invalid("Cannot add a zoned child to a not support zoned children parent");
}

} // namespace zoneio
