// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

struct DeviceContent {
    /// such as `it holds a file system (ext4, 'data')`, `it is a physical volume of LVM`, `it holds swap space`
    std::vector<std::string> clauses;
    bool has_partition_table = false;
};

/// Content of a device or file according to all signatures that libblkid knows, whether in use or not. Unreadable
/// content counts as none.
DeviceContent device_content(int fd);

} // namespace zoneio
