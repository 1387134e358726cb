// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checks that are made before a request reaches the driver of a zoned device. Order, errno and text are QEMU's.
#pragma once

#include "block/base/status.h"
#include "block/node/driver.h"
#include "block/node/limits.h"

#include <cstdint>
#include <span>

namespace zoneio {

/// Checks the range of a zone management request to a device of `length` bytes. EINVAL unless it starts at a zone and
/// ends at the end of a zone or of the device. The driver refuses a length of 0.
Status check_zone_range(const Limits& limits, uint64_t length, uint64_t offset, uint64_t bytes);

/// Checks an append of buffers of these lengths (bytes) to the zone at `offset`. EINVAL if `offset` is not the start of
/// a zone or a length is not a multiple of the write granularity; EIO if the data ends after the device.
Status check_zone_append(const Limits& limits, uint64_t length, uint64_t offset, std::span<const uint64_t> lengths);

/// Checks that a driver of this kind may have such a child. All drivers accept a host-aware device, few accept a
/// host-managed one.
Status check_zoned_child(const DriverInfo& parent, const Limits& child);

} // namespace zoneio
