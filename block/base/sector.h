// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace zoneio {

/// Bytes in a sector, the unit in which Linux, virtio and qemu-io count. A device's logical blocks may be larger.
inline constexpr uint64_t sector_size = 512;

} // namespace zoneio
