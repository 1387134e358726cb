// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace zoneio {

/// Zone model of a device (the `zoned` attribute in sysfs).
enum class ZonedModel : uint8_t { none, host_managed, host_aware };

/// Zone management operations, in QEMU's order.
enum class ZoneOp : uint8_t { open, close, finish, reset };

/// Zone type (enum blk_zone_type of linux/blkzoned.h, same numbers).
enum class ZoneType : uint8_t {
    conventional = 1,
    sequential_required = 2,
    sequential_preferred = 3,
};

/// State of a zone (enum blk_zone_cond of linux/blkzoned.h, same numbers).
enum class ZoneState : uint8_t {
    not_write_pointer = 0,
    empty = 1,
    implicit_open = 2,
    explicit_open = 3,
    closed = 4,
    read_only = 13,
    full = 14,
    offline = 15,
};

/// Write pointer of a zone that has none: read-only, offline and, on some devices, conventional zones. It is the
/// kernel's value, in sectors as well as in bytes.
inline constexpr uint64_t no_write_pointer = UINT64_MAX;

/// One zone of a report. Positions and lengths are in bytes.
struct ZoneDescriptor {
    uint64_t start = 0;
    uint64_t length = 0;
    uint64_t capacity = 0;      ///< writable bytes from start, at most length
    uint64_t write_pointer = 0; ///< absolute, or no_write_pointer
    ZoneType type = ZoneType::sequential_required;
    ZoneState state = ZoneState::empty;
};

/// Facts that only the driver of a zoned device knows.
struct ZoneControl {
    uint64_t cursor = 0;          ///< index of the zone at which the search for a zone to close continues, see
                                  ///< ZoneModel
    bool writable = true;         ///< false: every change fails with EBADF
    bool sets_states = false; ///< zones can be set to a state, see ZoneOperations::set_zone_state
};

using ZoneVisitor = std::function<void(const ZoneDescriptor&)>;

/// `open`, `close`, `finish`, `reset`.
std::string_view zone_op_name(ZoneOp op);

} // namespace zoneio
