// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace zoneio {

/// What the kernel tells about a block device in its `queue` directory (Documentation/ABI/stable/sysfs-block).
/// Sizes in bytes. Of a device that is not zoned only the first two members mean anything.
struct QueueAttributes {
    ZonedModel zoned = ZonedModel::none;
    uint32_t discard_granularity = 0; ///< 0: it cannot discard, or a kernel that does not tell
    bool is_partition = false; ///< then nr_zones is that of the whole device
    uint64_t zone_size = 0;    ///< `chunk_sectors`
    uint64_t nr_zones = 0;
    uint32_t write_granularity = 0; ///< `zone_write_granularity`, else the physical block
    // 0: no limit, or a kernel that does not tell.
    uint64_t max_append_bytes = 0;
    uint32_t max_open_zones = 0;
    uint32_t max_active_zones = 0;
};

/// Reads the attributes of block devices from sysfs.
class Sysfs {
public:
    /// `root` is where sysfs is mounted; tests have a tree of their own.
    explicit Sysfs(std::string root = "/sys") : root_(std::move(root)) {}

    /// The attributes of the block device with this number, or of the device that it is a partition of.
    /// A device that sysfs does not know, or knows nothing zoned about, counts as not zoned. For a zoned one,
    /// the error names the attribute that is missing or makes no sense.
    Result<QueueAttributes> queue_attributes(dev_t device) const;

private:
    std::string root_;
};

} // namespace zoneio
