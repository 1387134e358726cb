// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>

namespace zoneio {

/// A block device that nobody mounts or builds upon while this lives (O_EXCL, open(2)).
class DeviceClaim {
public:
    /// EBUSY when others have it; the text says who. Cause: export_in_use.
    static Status check(const std::string& device);
    /// Waits until nobody has it, or `ended` is readable: then it is no device any more.
    static DeviceClaim wait(const std::string& device, int ended);

private:
    FileDescriptor file_;
};

} // namespace zoneio
