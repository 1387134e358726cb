// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <sys/stat.h>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// Files in which the kernel describes devices. Tests use their own trees.
struct SystemFiles {
    std::string proc = "/proc";
    std::string sys = "/sys";
};

struct DeviceUses {
    /// such as `it is mounted on /srv`, `sda2 is used as swap`, `it is part of dm-0`, `it has the partitions sda1,
    /// sda2`
    std::vector<std::string> clauses;
    bool has_partitions = false;
};

/// Users of the block device with this number and of its partitions, as far as the kernel lists them in files. Includes
/// loop devices that use it, and loop devices with the same file or device. Facts that cannot be read are left out.
/// Sources: proc(5) (mountinfo, swaps), Documentation/ABI/testing/sysfs-block (holders), sysfs-block-loop
/// (backing_file).
DeviceUses device_uses(dev_t device, const SystemFiles& files = {});

/// Loop devices that use a file, and their users; one clause each.
std::vector<std::string> file_uses(const struct stat& file, const SystemFiles& files = {});

/// Reasons why writing to a path may do harm, one clause each. For a file: file_uses(). For a block device:
/// device_uses(), an exclusive user (O_EXCL, open(2)), and its content, see device_content(). Empty for everything
/// else.
std::vector<std::string> path_uses(const std::string& path);

} // namespace zoneio
