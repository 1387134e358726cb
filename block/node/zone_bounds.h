// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is refused before a zoned device is asked, whatever its driver. Order, errno and text are upstream's.
#pragma once

#include "block/base/status.h"
#include "block/node/driver.h"
#include "block/node/limits.h"

#include <cstdint>
#include <span>

namespace zoneio {

/// May zones be managed over this range of a device of `length` bytes? It begins with a zone, and ends with one or
/// with the device. EINVAL otherwise; a length of 0 is the driver's to refuse.
Status check_zone_range(const Limits& limits, uint64_t length, uint64_t offset, uint64_t bytes);

/// May data of these lengths be appended to the zone at `offset`? EINVAL when that is not the begin of a zone, or one of
/// the lengths no multiple of the write granularity; EIO past the end of the device.
Status check_zone_append(const Limits& limits, uint64_t length, uint64_t offset, std::span<const uint64_t> lengths);

/// May a driver of this kind have such a child? A host-aware device serves everybody, a host-managed one does not.
Status check_zoned_child(const DriverInfo& parent, const Limits& child);

} // namespace zoneio
