// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a log says of a zoned device at the begin of a session: its shape, and the zones that are not empty.
#pragma once

#include "block/log/reader.h"
#include "block/node/limits.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace zoneio {

/// The shape of a zoned device. Lengths are bytes.
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
    /// EINVAL for what describes no zoned device.
    static Result<LoggedDevice> decode(std::string_view bytes);
};

/// A zone that was not empty.
struct LoggedZone {
    static constexpr size_t bytes_on_medium = 16;

    uint64_t number = 0;
    ZoneState state{};
    uint64_t pointer = 0; ///< bytes from the zone's start; 0 where it has none

    /// Nothing is to be said of empty and of conventional zones.
    static bool is_told(const ZoneDescriptor& zone);
    static LoggedZone of(const ZoneDescriptor& zone, uint64_t zone_size);
    void encode(uint8_t* bytes) const;
    static LoggedZone decode(const uint8_t* bytes);
    /// May they be the same zone before and after the device was opened anew? What is open may be closed then.
    bool is_like(const LoggedZone& other) const;
};

using ZoneReport = std::function<Result<uint64_t>(const ZoneVisitor& visit)>;

/// Tells `put` the zones that are not empty, in as many pieces as fit into `room` bytes each.
Status log_zones(uint64_t zone_size, size_t room, const ZoneReport& report,
                 const std::function<Status(std::span<const uint8_t>)>& put);

/// The states that a session began with, as they are read from the log.
struct LoggedZones {
    LoggedDevice device;
    std::vector<LoggedZone> zones; ///< in their order

    /// Reads the entries of kind `zones` that follow that of the device.
    static Result<LoggedZones> read(LogReader& reader, const LogEntry& device);
    /// EINVAL, naming what differs, where a device is not as it was.
    Status check(const Limits& limits, uint64_t length, const ZoneReport& report) const;
};

} // namespace zoneio
