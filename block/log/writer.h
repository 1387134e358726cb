// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"
#include "block/node/node.h"

#include <memory>
#include <optional>

namespace zoneio {

/// Appends entries to a write log. An appended entry is in the log even if the program is killed right after: the entry
/// and its data are written together, then the superblock that counts it.
///
/// May be used by several threads, and by tasks that stop at breakpoints; entries are written one at a time. Uses the
/// memory of two sectors.
class LogWriter {
public:
    struct Settings {
        uint32_t sector_size = 512;        ///< for a new log, in bytes
        uint64_t super_update_interval = 1; ///< number of entries between updates of the superblock; each flush updates
                                            ///< it, too
    };

    /// Writes nothing before the first entry.
    LogWriter(std::unique_ptr<BlockNode> node, Settings settings);

    /// Finds the end of the existing log. An empty image is a new log. EINVAL, with the reason, if the image holds
    /// something else.
    Status find_end();

    uint32_t sector_size() const { return settings_.sector_size; }
    BlockNode& node() { return *node_; }
    /// True if the log has no entries.
    bool is_empty() const { return entries_ == 0; }

    /// Appends a write and its data, whose length is that of the entry.
    Status append(LogEntry entry, const IoVec& data);
    /// Appends a write of zeros.
    Status append_zeroes(LogEntry entry);
    /// Appends an entry without data; `own` is stored in its sector. EINVAL if it does not fit.
    Status append(LogEntry entry, std::span<const uint8_t> own = {});

    /// Reserves an entry without data and returns its position. Later entries are after it. It has no meaning until it
    /// is filled.
    Result<uint64_t> reserve();
    /// Fills a reserved entry.
    Status fill(uint64_t position, const LogEntry& entry);
    /// Writes the superblock and flushes the log.
    Status flush();

private:
    using Turn = RequestTracker::Ticket;

    template <typename Write>
    Status add(LogEntry& entry, Write&& write);
    Status begin();
    Status write_sector(uint64_t position, const LogEntry& entry, std::span<const uint8_t> own);
    Status count_entry();
    Status write_super();
    Status check_memory();

    std::unique_ptr<BlockNode> node_;
    Settings settings_;
    RequestTracker turns_;
    AlignedBuffer entry_sector_;
    AlignedBuffer super_sector_;
    uint64_t entries_ = 0;
    uint64_t end_ = 0;          ///< offset of the next entry in bytes; 0: no superblock yet
    Status failed_;             ///< an entry is missing, so nothing more can be appended
};

} // namespace zoneio
