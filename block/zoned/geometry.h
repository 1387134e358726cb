// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <algorithm>
#include <cstdint>

namespace zoneio {

/// Geometry and limits of an emulated zoned device. Sizes are in bytes.
struct ZoneGeometry {
    /// Limit of the number of zones, more than any device has. The zone table is at most 1 GiB.
    static constexpr uint64_t most_zones = uint64_t{1} << 26;
    /// Largest write pointer of a ZoneWord, in bytes.
    static constexpr uint64_t largest_zone = uint64_t{1} << 53;

    uint64_t size = 0;
    uint64_t zone_size = 0;          ///< any multiple of block_size, not only powers of two
    uint64_t zone_capacity = 0;      ///< writable part of each sequential zone
    uint64_t conventional_zones = 0; ///< number of conventional zones, at the start of the device
    uint64_t max_open_zones = 0;     ///< 0: no limit
    uint64_t max_active_zones = 0;   ///< 0: no limit
    uint64_t max_append_bytes = 0;   ///< 0: no limit
    uint32_t block_size = 512;       ///< 512 or 4096; requests are whole blocks

    bool operator==(const ZoneGeometry&) const = default;

    /// Number of zones, including a shorter last one.
    uint64_t zone_count() const { return size / zone_size + (size % zone_size != 0 ? 1 : 0); }
    uint64_t zone_start(uint64_t zone) const { return zone * zone_size; }
    uint64_t zone_length(uint64_t zone) const { return std::min(zone_size, size - zone_start(zone)); }
    uint64_t capacity_of(uint64_t zone) const { return std::min(zone_capacity, zone_length(zone)); }
    bool is_conventional(uint64_t zone) const { return zone < conventional_zones; }

    /// Active-zone limit as null_blk applies it: unreachable limits become 0, and the open-zone limit never exceeds the
    /// active-zone limit.
    uint64_t effective_max_active() const;
    uint64_t effective_max_open() const;

    /// EINVAL, with the reason, if the geometry is invalid.
    Status check() const;
};

} // namespace zoneio
