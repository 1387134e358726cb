// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/host/device_use.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// What tells one disk from another.
struct DeviceFacts {
    bool is_device = false; ///< else a file
    uint64_t bytes = 0;     ///< 0: unknown
    std::string model;      ///< `ATA ST4000DM004`; of a loop device the file behind it. Empty: unknown
    std::string serial;     ///< empty: unknown

    /// `/dev/sdb: 3.638 TiB, ATA ST4000DM004, serial ZTT0A1B2`
    std::string text(const std::string& path) const;
};

/// The facts of the file or block device at a path; of a partition the size of the partition, and model and serial number
/// of its disk. What cannot be read is unknown. Sources: Documentation/ABI/stable/sysfs-block (size, serial), the attributes of
/// SCSI, NVMe, MMC and loop devices.
DeviceFacts device_facts(const std::string& path, const SystemFiles& files = {});
DeviceFacts device_facts(dev_t device, const SystemFiles& files = {});

} // namespace zoneio
