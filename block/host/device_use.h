// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// Where the kernel tells about devices; tests have trees of their own.
struct SystemFiles {
    std::string proc = "/proc";
    std::string sys = "/sys";
};

struct DeviceUses {
    /// `it is mounted on /srv`, `sda2 is used as swap`, `it is part of dm-0`, `it has the partitions sda1, sda2`
    std::vector<std::string> clauses;
    bool has_partitions = false;
};

/// Who uses the block device with this number or one of its partitions, as far as the kernel tells in files. What cannot be
/// read counts as saying nothing. Sources: proc(5) (mountinfo, swaps), Documentation/ABI/testing/sysfs-block (holders).
DeviceUses device_uses(dev_t device, const SystemFiles& files = {});

/// Do these bytes from the begin of a device hold a partition table? An MBR (at 446, signed at 510) or a GPT (a header in the
/// second block of 512 or 4096 bytes, UEFI specification 5.3.2).
bool has_partition_table(std::string_view begin);

/// Everything that writing to what a path names may harm, a clause each: device_uses(), somebody who has the device exclusively
/// (O_EXCL, open(2)), a partition table that the kernel did not read. Empty for a path that is no block device.
std::vector<std::string> path_uses(const std::string& path);

} // namespace zoneio
