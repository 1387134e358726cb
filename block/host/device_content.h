// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

struct DeviceContent {
    /// `it holds a file system (ext4, 'data')`, `it is a physical volume of LVM`, `it holds swap space`
    std::vector<std::string> clauses;
    bool has_partition_table = false;
};

/// What the signatures on a device, or in a file, say that it holds: everything that libblkid knows, used by somebody or not.
/// What cannot be read counts as holding nothing.
DeviceContent device_content(int fd);

} // namespace zoneio
