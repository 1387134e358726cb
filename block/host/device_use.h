// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <sys/stat.h>
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

/// Who uses the block device with this number or one of its partitions, as far as the kernel tells in files. Loop devices
/// count that are made of it, or of the same file or device as it. What cannot be read counts as saying nothing. Sources:
/// proc(5) (mountinfo, swaps), Documentation/ABI/testing/sysfs-block (holders), sysfs-block-loop (backing_file).
DeviceUses device_uses(dev_t device, const SystemFiles& files = {});

/// The loop devices that are made of a file, and who uses them, a clause each.
std::vector<std::string> file_uses(const struct stat& file, const SystemFiles& files = {});

/// Everything that writing to what a path names may harm, a clause each. For a file that is file_uses(); for a block device
/// device_uses(), somebody who has it exclusively (O_EXCL, open(2)), and what it holds, see device_content(). Empty for
/// everything else.
std::vector<std::string> path_uses(const std::string& path);

} // namespace zoneio
