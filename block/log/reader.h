// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"
#include "block/node/node.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace zoneio {

/// Reads a write log from start to end. Uses the memory of one window, whatever the length of the log.
class LogReader {
public:
    /// The node must outlive the reader.
    explicit LogReader(BlockNode& node) : node_(node) {}

    /// Reads less at a time, for callers that skip the data of writes.
    void read_headers_only() { window_bytes_ = 64U << 10; }
    /// Continues at the position of another reader of the same log.
    void go_on_from(const LogReader& other) {
        super_ = other.super_;
        end_ = other.end_;
        position_ = other.position_;
        number_ = other.number_;
    }
    /// Reads the superblock. EINVAL if there is none.
    Status open();

    uint32_t sector_size() const { return super_.sector_size; }
    uint64_t entry_count() const { return super_.entries; }
    /// Number of bytes of the log read so far.
    uint64_t position() const { return position_; }
    /// Length of the image that holds the log, in bytes.
    uint64_t length() const { return end_; }
    /// Number of entries read.
    uint64_t number() const { return number_; }

    /// The next entry; empty at the end. EINVAL, with the entry's number, for an entry that is damaged or exceeds the
    /// log.
    Result<std::optional<LogEntry>> next();
    /// Returns to the first entry, or to an entry that was read before.
    void rewind();
    void go_to(const LogEntry& entry);

    /// The additional data of an entry, see LogEntry::inlined. A mark ends at its first zero byte.
    Result<std::string> own_bytes(const LogEntry& entry);
    /// Reads a part of the data of a write, and calls visit(bytes from `begin`, data) for each piece.
    Status visit_data(const LogEntry& entry, uint64_t begin, uint64_t bytes,
                      const std::function<Status(uint64_t begin, std::span<uint8_t> data)>& visit);

private:
    static constexpr size_t largest_window = 1U << 20;

    /// Loads data at a position: `bytes` bytes, or as many as fit into the window.
    Result<std::span<uint8_t>> load(uint64_t position, uint64_t bytes);

    BlockNode& node_;
    size_t window_bytes_ = largest_window;
    LogSuper super_;
    uint64_t end_ = 0; ///< length of the image that holds the log, in bytes
    uint64_t position_ = 0;
    uint64_t number_ = 0;
    AlignedBuffer window_;
    uint64_t window_begin_ = 0;
    uint64_t window_end_ = 0;
};

/// An open log with its reader.
struct OpenLog {
    std::unique_ptr<BlockNode> node;
    std::unique_ptr<LogReader> reader;
};

/// Opens the log in the image with this name for reading. Another program may be writing to it.
Result<OpenLog> open_log(const std::string& name);

} // namespace zoneio
