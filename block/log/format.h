// SPDX-License-Identifier: GPL-3.0-or-later
//
// The write log as it lies on a medium: that of Linux's dm-log-writes, version 1, which QEMU's blklogwrites writes too, and
// what zoned devices need besides. docs/write-log-format.md tells it in full.
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// The first sector of a log. Little endian, as everything in it.
struct LogSuper {
    static constexpr uint64_t magic = 0x6a736677736872;
    static constexpr uint64_t version = 1;
    static constexpr size_t bytes = 28;
    static constexpr uint64_t smallest_sector = 32; ///< an entry must fit into one
    static constexpr uint64_t largest_sector = 8U << 20;

    uint64_t entries = 0;
    uint32_t sector_size = 512;

    void encode(std::span<uint8_t> sector) const;
    /// EINVAL with upstream's words for what is no superblock that can be read.
    static Result<LogSuper> decode(std::span<const uint8_t> sector);
};

/// Can a log have sectors of so many bytes? A power of two, see LogSuper.
bool is_log_sector_size(uint64_t bytes);

/// What an entry is about.
enum class LogKind : uint8_t {
    write,
    flush,
    discard,
    mark,
    append,    ///< a write that went to the write pointer
    reset,
    finish,
    open,
    close,
    condition, ///< the device, or somebody on its behalf, put zones into a condition
    device,    ///< the shape of a zoned device, at the begin of a session
    zones,     ///< zones that were not empty then
    none,      ///< nothing: a place that was kept for an entry that did not come about
};

/// One entry. Offsets and lengths are bytes.
struct LogEntry {
    static constexpr size_t bytes_on_medium = 32;

    uint64_t number = 0;   ///< from 0
    uint64_t position = 0; ///< of the entry in the log
    LogKind kind = LogKind::none;
    bool fua = false;      ///< of a write: it was on the medium when it was done
    bool preflush = false; ///< of a write: everything before it was flushed first, as dm-log-writes may note it
    bool metadata = false; ///< of a write: dm-log-writes was told so
    uint64_t offset = 0;
    uint64_t length = 0;
    ZoneState state{};     ///< of a condition
    uint64_t inlined = 0;  ///< bytes of its own that follow in the entry's sector: a mark's name, a device, zones

    bool has_data() const { return kind == LogKind::write || kind == LogKind::append; }
    /// Where the data of a write is in the log.
    uint64_t data_position(uint32_t sector_size) const { return position + sector_size; }
    /// Where the next entry is; nothing where that is more than a log can be long.
    std::optional<uint64_t> next_position(uint32_t sector_size) const;

    void encode(std::span<uint8_t> sector, uint32_t sector_size) const;
    /// `position` and `number` are the caller's to set. EINVAL for what no log holds.
    static Result<LogEntry> decode(std::span<const uint8_t> sector, uint32_t sector_size);
};

/// `write`, `flush`, ...
std::string_view log_kind_name(LogKind kind);
/// The operation of an entry that is one on zones.
std::optional<ZoneOp> zone_op_of(LogKind kind);
LogKind log_kind_of(ZoneOp op);

uint64_t load_le64(const uint8_t* bytes);
void store_le64(uint8_t* bytes, uint64_t value);

} // namespace zoneio
