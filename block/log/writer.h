// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"
#include "block/node/node.h"

#include <memory>
#include <optional>

namespace zoneio {

/// Appends entries to a write log. Whatever has been appended is in the log if the program is killed the moment after:
/// an entry and its data are written in one piece, then the superblock that counts it.
///
/// May be used by several threads, and by tasks that stop at breakpoints: each entry has its turn. Memory: two sectors.
class LogWriter {
public:
    struct Settings {
        uint32_t sector_size = 512;        ///< of a new log
        uint64_t super_update_interval = 1; ///< the superblock is written once in so many entries, and at each flush
    };

    /// Nothing is written before the first entry.
    LogWriter(std::unique_ptr<BlockNode> node, Settings settings);

    /// Goes to the end of the log that is there. An empty image is a new log. EINVAL with the reason for one that is none.
    Status find_end();

    uint32_t sector_size() const { return settings_.sector_size; }
    BlockNode& node() { return *node_; }
    /// Is there nothing in it?
    bool is_empty() const { return entries_ == 0; }

    /// A write and its data, as long as the entry says.
    Status append(LogEntry entry, const IoVec& data);
    /// A write of zeros.
    Status append_zeroes(LogEntry entry);
    /// An entry without data; `own` goes into its sector. EINVAL when it does not fit.
    Status append(LogEntry entry, std::span<const uint8_t> own = {});

    /// Keeps a place for an entry without data: what is appended from now on is behind it. Until it is filled it says nothing.
    Result<uint64_t> reserve();
    /// Fills the place that was kept.
    Status fill(uint64_t position, const LogEntry& entry);
    /// Writes the superblock and brings the log to its medium.
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
    uint64_t end_ = 0;          ///< where the next entry goes, bytes; 0: no superblock was written
    Status failed_;             ///< an entry is missing: nothing may follow
};

} // namespace zoneio
