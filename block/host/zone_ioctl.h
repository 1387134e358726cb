// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel interface to zoned block devices (linux/blkzoned.h), with zoneio's types.
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <vector>

namespace zoneio {

/// Stores up to `count` zones in `zones`, starting with the zone that contains `offset` (bytes); none at or after the
/// end of the device. Before Linux 5.9 the kernel reports no capacities, and each capacity is the zone's length.
/// ENOTSUP, with a text, if zoneio was built without the kernel's header.
Status ioctl_report_zones(int fd, uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones);

/// Opens, closes, finishes or resets the zones of a range (bytes).
Status ioctl_manage_zones(int fd, ZoneOp op, uint64_t offset, uint64_t bytes);

/// `BLKOPENZONE`, `BLKCLOSEZONE`, `BLKFINISHZONE`, `BLKRESETZONE`.
const char* zone_ioctl_name(ZoneOp op);

} // namespace zoneio
