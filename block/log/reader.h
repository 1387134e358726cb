// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"
#include "block/node/node.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace zoneio {

/// Reads a write log from its begin to its end. Memory: a window of the log, however long it is.
class LogReader {
public:
    /// The node outlives the reader.
    explicit LogReader(BlockNode& node) : node_(node) {}

    /// How much is read at once: by default what suits those who read all data. Less, for who passes over it.
    void read_headers_only() { window_bytes_ = 64U << 10; }
    /// Goes on where another reader of the same log is.
    void go_on_from(const LogReader& other) {
        super_ = other.super_;
        end_ = other.end_;
        position_ = other.position_;
        number_ = other.number_;
    }
    /// Reads the superblock; EINVAL when there is none.
    Status open();

    uint32_t sector_size() const { return super_.sector_size; }
    uint64_t entry_count() const { return super_.entries; }
    /// How long the log is, up to where it has been read, bytes.
    uint64_t position() const { return position_; }
    /// Of the image that the log is in, bytes.
    uint64_t length() const { return end_; }
    /// How many entries have been read.
    uint64_t number() const { return number_; }

    /// The next entry; nothing at the end. EINVAL, naming the entry, for one that is broken or beyond the end of the log.
    Result<std::optional<LogEntry>> next();
    /// Goes back to the first entry, or to one that was read before.
    void rewind();
    void go_to(const LogEntry& entry);

    /// What an entry has of its own, see LogEntry::inlined. A mark ends at its first zero byte.
    Result<std::string> own_bytes(const LogEntry& entry);
    /// Part of the data of a write, in pieces that are in memory: visit(bytes from `begin`, data).
    Status visit_data(const LogEntry& entry, uint64_t begin, uint64_t bytes,
                      const std::function<Status(uint64_t begin, std::span<uint8_t> data)>& visit);

private:
    static constexpr size_t largest_window = 1U << 20;

    /// Makes what begins at a position be in memory; as much of `bytes` as fits into the window.
    Result<std::span<uint8_t>> load(uint64_t position, uint64_t bytes);

    BlockNode& node_;
    size_t window_bytes_ = largest_window;
    LogSuper super_;
    uint64_t end_ = 0; ///< of the image that the log is in, bytes
    uint64_t position_ = 0;
    uint64_t number_ = 0;
    AlignedBuffer window_;
    uint64_t window_begin_ = 0;
    uint64_t window_end_ = 0;
};

/// A log in an image of its own, with what reads it.
struct OpenLog {
    std::unique_ptr<BlockNode> node;
    std::unique_ptr<LogReader> reader;
};

/// Opens the log in the image of this name for reading, also while somebody writes to it.
Result<OpenLog> open_log(const std::string& name);

} // namespace zoneio
