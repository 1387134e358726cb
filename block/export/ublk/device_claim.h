// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>

namespace zoneio {

/// Exclusive use of a block device (O_EXCL, open(2)): while it exists, no one can mount the device or build on it.
class DeviceClaim {
public:
    /// EBUSY, with the users, if others use the device. Cause: export_in_use.
    static Status check(const std::string& device);
    /// Waits until no one uses the device, or until `ended` is readable because the device is gone.
    static DeviceClaim wait(const std::string& device, int ended);

private:
    FileDescriptor file_;
};

} // namespace zoneio
