// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/host/device_use.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// Facts that identify a disk.
struct DeviceFacts {
    bool is_device = false; ///< true for a block device, false for a file
    uint64_t bytes = 0;     ///< 0: unknown
    std::string model;      ///< such as `ATA ST4000DM004`; for a loop device, its file. Empty: unknown
    std::string serial;     ///< empty: unknown

    /// such as `/dev/sdb: 3.638 TiB, ATA ST4000DM004, serial ZTT0A1B2`
    std::string text(const std::string& path) const;
};

/// Facts of the file or block device at a path. For a partition: the partition's size, its disk's model and serial
/// number. Facts that cannot be read are unknown. Sources: Documentation/ABI/stable/sysfs-block (size, serial),
/// attributes of SCSI, NVMe, MMC and loop devices.
DeviceFacts device_facts(const std::string& path, const SystemFiles& files = {});
DeviceFacts device_facts(dev_t device, const SystemFiles& files = {});

} // namespace zoneio
