// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/zone.h"

#include <cstddef>
#include <cstdint>

namespace zoneio {

/// What a node can take in one request, and the zoned attributes of its device. Sizes in bytes.
struct Limits {
    uint32_t request_alignment = 1; ///< requests are padded to multiples of this
    size_t memory_alignment = 1;    ///< of buffers handed to the driver
    uint64_t max_transfer = 0;      ///< 0: no limit
    size_t max_buffers = SIZE_MAX;  ///< of a vectored request

    ZonedModel zoned = ZonedModel::none;
    uint64_t zone_size = 0;
    uint64_t nr_zones = 0;          ///< a shorter last zone counts
    uint64_t max_append_bytes = 0;  ///< 0: no limit
    uint32_t max_open_zones = 0;    ///< 0: no limit
    uint32_t max_active_zones = 0;  ///< 0: no limit
    uint32_t write_granularity = 0; ///< of writes to sequential zones
};

} // namespace zoneio
