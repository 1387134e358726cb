// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/log/reader.h"
#include "block/log/zone_states.h"

#include <memory>

namespace zoneio {

/// Does to an image what a log says was done, entry by entry.
class LogReplay {
public:
    /// Both outlive it.
    LogReplay(LogReader& reader, BlockBackend& backend) : reader_(reader), backend_(backend) {}

    /// From now on entries are only tried, on a copy of the zones.
    Status only_try();

    /// One entry, the last that the reader gave; for that of a device the states of the zones are compared. An entry that does
    /// not apply changes nothing, but for one on several zones, and one whose failure is the host's.
    Status apply(const LogEntry& entry);
    /// A part of a write, in bytes from its begin.
    Status apply_part(const LogEntry& entry, uint64_t begin, uint64_t bytes);

private:
    Status try_entry(const LogEntry& entry);
    Status check_range(const LogEntry& entry);
    Status check_device(const LogEntry& entry);

    LogReader& reader_;
    BlockBackend& backend_;
    std::unique_ptr<ZoneTrial> trial_;
    bool only_tries_ = false;
};

} // namespace zoneio
