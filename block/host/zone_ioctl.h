// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel's interface to zoned block devices (linux/blkzoned.h), in this program's types.
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <vector>

namespace zoneio {

/// Puts up to `count` zones, from the one that holds `offset` (bytes), into `zones`: none at or past the end of the
/// device. A kernel before 5.9 tells no capacities; they are then the lengths. ENOTSUP with a text when this program
/// was built without the kernel's header.
Status ioctl_report_zones(int fd, uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones);

/// Opens, closes, finishes or resets the zones of a range (bytes).
Status ioctl_manage_zones(int fd, ZoneOp op, uint64_t offset, uint64_t bytes);

/// `BLKOPENZONE`, `BLKCLOSEZONE`, `BLKFINISHZONE`, `BLKRESETZONE`.
const char* zone_ioctl_name(ZoneOp op);

} // namespace zoneio
