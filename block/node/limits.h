// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/zone.h"

#include <cstddef>
#include <cstdint>

namespace zoneio {

/// What a node can take in one request, and the zoned attributes of its device. Sizes in bytes.
struct Limits {
    uint32_t request_alignment = 1; ///< requests are padded to multiples of this
    size_t memory_alignment = 1;    ///< of buffers handed to the driver
    uint64_t max_transfer = 0;      ///< 0: no limit
    uint32_t zeroes_alignment = 0;  ///< of writes of zeros; 0: as others
    uint64_t max_zeroes = 0;        ///< of one write of zeros; 0: no limit
    uint32_t discard_alignment = 0; ///< of discards; 0: they are not cut
    uint64_t max_discard = 0;       ///< of one discard; 0: no limit
    size_t max_buffers = SIZE_MAX;  ///< of a vectored request

    ZonedModel zoned = ZonedModel::none;
    uint64_t zone_size = 0;
    uint64_t nr_zones = 0;          ///< a shorter last zone counts
    uint64_t max_append_bytes = 0;  ///< 0: no limit
    uint32_t max_open_zones = 0;    ///< 0: no limit
    uint32_t max_active_zones = 0;  ///< 0: no limit
    uint32_t write_granularity = 0; ///< of writes to sequential zones

    /// Takes over what a node shows of the one below, its zones aside: its requests are cut like that one's.
    void merge(const Limits& below) {
        if (max_transfer == 0 || (below.max_transfer != 0 && below.max_transfer < max_transfer)) {
            max_transfer = below.max_transfer;
        }
        discard_alignment = discard_alignment > below.discard_alignment ? discard_alignment : below.discard_alignment;
    }
    /// Takes over what there is to say of zones.
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
