// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace zoneio {

/// Attributes of a block device from its `queue` directory (Documentation/ABI/stable/sysfs-block). Sizes are in bytes.
/// Only the first two members are set for a device that is not zoned.
struct QueueAttributes {
    ZonedModel zoned = ZonedModel::none;
    uint32_t discard_granularity = 0; ///< 0: no discard, or unknown to an old kernel
    bool is_partition = false; ///< then nr_zones counts the whole device
    uint64_t zone_size = 0;    ///< `chunk_sectors`
    uint64_t nr_zones = 0;
    uint32_t write_granularity = 0; ///< `zone_write_granularity`; before Linux 5.12, the physical block size
    // For these limits, 0 means no limit or an old kernel that does not report it.
    uint64_t max_append_bytes = 0;
    uint32_t max_open_zones = 0;
    uint32_t max_active_zones = 0;
};

/// Attributes of the block device with this number, or of the device of which it is a partition. A device that is missing in
/// sysfs or has no zone attributes counts as not zoned. For a zoned device, an error names the missing or invalid attribute.
/// `root`: mount point of sysfs. Tests use their own tree.
Result<QueueAttributes> queue_attributes(dev_t device, const std::string& root = "/sys");

} // namespace zoneio
