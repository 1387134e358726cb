// SPDX-License-Identifier: GPL-3.0-or-later
//
// The zoned device in a log at the start of a session: its geometry, and the zones that are not empty.
#pragma once

#include "block/log/reader.h"
#include "block/node/limits.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace zoneio {

/// Geometry of a zoned device. Lengths are in bytes.
struct LoggedDevice {
    static constexpr size_t bytes_on_medium = 48;

    uint64_t length = 0;
    uint64_t zone_size = 0;
    uint32_t max_open_zones = 0;
    uint32_t max_active_zones = 0;
    uint32_t write_granularity = 0;
    uint64_t max_append_bytes = 0;
    uint64_t cursor = 0; ///< see ZoneControl

    static LoggedDevice of(const Limits& limits, uint64_t length, uint64_t cursor);
    void encode(std::span<uint8_t> bytes) const;
    /// EINVAL if the bytes do not describe a zoned device.
    static Result<LoggedDevice> decode(std::string_view bytes);
};

/// A zone that is not empty.
struct LoggedZone {
    static constexpr size_t bytes_on_medium = 16;

    uint64_t number = 0;
    ZoneState state{};
    uint64_t pointer = 0; ///< bytes from the start of the zone; 0 if the zone has no write pointer

    /// False for empty and conventional zones, which are not logged.
    static bool is_told(const ZoneDescriptor& zone);
    static LoggedZone of(const ZoneDescriptor& zone, uint64_t zone_size);
    void encode(uint8_t* bytes) const;
    static LoggedZone decode(const uint8_t* bytes);
    /// True if the two may be one zone before and after the device was reopened, which may close open zones.
    bool is_like(const LoggedZone& other) const;
};

using ZoneReport = std::function<Result<uint64_t>(const ZoneVisitor& visit)>;

/// Passes the zones that are not empty to `put`, in pieces of at most `room` bytes.
Status log_zones(uint64_t zone_size, size_t room, const ZoneReport& report,
                 const std::function<Status(std::span<const uint8_t>)>& put);

/// The zones at the start of a session, as read from a log.
struct LoggedZones {
    LoggedDevice device;
    std::vector<LoggedZone> zones; ///< in order

    /// Reads the entries of kind `zones` after the device entry.
    static Result<LoggedZones> read(LogReader& reader, const LogEntry& device);
    /// EINVAL, with the difference, if a device does not have these zones.
    Status check(const Limits& limits, uint64_t length, const ZoneReport& report) const;
};

} // namespace zoneio
