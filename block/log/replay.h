// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/log/reader.h"
#include "block/log/zone_states.h"

#include <memory>

namespace zoneio {

/// Applies the entries of a log to an image.
class LogReplay {
public:
    /// Both must outlive this object.
    LogReplay(LogReader& reader, BlockBackend& backend) : reader_(reader), backend_(backend) {}

    /// From now on, tries entries on a copy of the zones instead of applying them.
    Status only_try();

    /// Applies the last entry of the reader. For a device entry, compares the states of the zones. An entry that does
    /// not apply changes nothing, except if it concerns several zones or the host fails.
    Status apply(const LogEntry& entry);
    /// Applies a part of a write, in bytes from its start.
    Status apply_part(const LogEntry& entry, uint64_t begin, uint64_t bytes);

private:
    Status try_entry(const LogEntry& entry);
    Result<uint64_t> length() const;
    Status check_range(const LogEntry& entry);
    Status check_device(const LogEntry& entry);

    LogReader& reader_;
    BlockBackend& backend_;
    std::unique_ptr<ZoneTrial> trial_;
    bool only_tries_ = false;
    std::optional<uint64_t> tried_length_; ///< length of the image after the entries that were tried
};

} // namespace zoneio
