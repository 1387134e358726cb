// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/zone.h"

#include <cstddef>
#include <cstdint>

namespace zoneio {

/// Limits of a node for one request, and the zone attributes of its device. Sizes are in bytes.
struct Limits {
    uint32_t request_alignment = 1; ///< requests are padded to multiples of this
    size_t memory_alignment = 1;    ///< alignment of buffers passed to the driver
    uint64_t max_transfer = 0;      ///< longest read or write; 0: no limit
    uint32_t zeroes_alignment = 0;  ///< alignment of writes of zeros; 0: request_alignment
    uint64_t max_zeroes = 0;        ///< longest write of zeros; 0: no limit
    uint32_t discard_alignment = 0; ///< alignment of discards; 0: discards are not cut
    uint64_t max_discard = 0;       ///< longest discard; 0: no limit
    size_t max_buffers = SIZE_MAX;  ///< most buffers of a vectored request

    ZonedModel zoned = ZonedModel::none;
    uint64_t zone_size = 0;
    uint64_t nr_zones = 0;          ///< number of zones, including a shorter last one
    uint64_t max_append_bytes = 0;  ///< longest append; 0: no limit
    uint32_t max_open_zones = 0;    ///< 0: no limit
    uint32_t max_active_zones = 0;  ///< 0: no limit
    uint32_t write_granularity = 0; ///< writes to sequential zones are multiples of this

    /// Copies the limits of the node below, except those of zones: requests to it are cut in the same way.
    void merge(const Limits& below) {
        if (max_transfer == 0 || (below.max_transfer != 0 && below.max_transfer < max_transfer)) {
            max_transfer = below.max_transfer;
        }
        discard_alignment = discard_alignment > below.discard_alignment ? discard_alignment : below.discard_alignment;
    }
    /// Copies the zone attributes of the node below.
    void copy_zones(const Limits& below) {
        zoned = below.zoned;
        zone_size = below.zone_size;
        nr_zones = below.nr_zones;
        max_append_bytes = below.max_append_bytes;
        max_open_zones = below.max_open_zones;
        max_active_zones = below.max_active_zones;
        write_granularity = below.write_granularity;
    }
};

} // namespace zoneio
