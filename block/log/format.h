// SPDX-License-Identifier: GPL-3.0-or-later
//
// The write log on a medium: version 1 of Linux's dm-log-writes, which QEMU's blklogwrites writes too, with additions
// for zoned devices. See docs/write-log-format.md.
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// The superblock, the first sector of a log. Little endian, like the whole log.
struct LogSuper {
    static constexpr uint64_t magic = 0x6a736677736872;
    static constexpr uint64_t version = 1;
    static constexpr size_t bytes = 28;
    static constexpr uint64_t smallest_sector = 32; ///< an entry must fit into a sector
    static constexpr uint64_t largest_sector = 8U << 20;

    uint64_t entries = 0;
    uint32_t sector_size = 512;

    void encode(std::span<uint8_t> sector) const;
    /// EINVAL, with QEMU's text, if the sector is not a valid superblock.
    static Result<LogSuper> decode(std::span<const uint8_t> sector);
};

/// True if a log can have sectors of this size: powers of two, see LogSuper.
bool is_log_sector_size(uint64_t bytes);

/// Kind of an entry.
enum class LogKind : uint8_t {
    write,
    flush,
    discard,
    mark,
    append,    ///< a write at the write pointer
    reset,
    finish,
    open,
    close,
    state,     ///< zones were set to a state, see `zone_state`
    device,    ///< geometry of a zoned device, at the start of a session
    zones,     ///< zones that were not empty at that time
    length,    ///< the image got the length that is the entry's
    none,      ///< nothing: a reserved entry that was not used
};

/// An entry. Offsets and lengths are in bytes.
struct LogEntry {
    static constexpr size_t bytes_on_medium = 32;

    uint64_t number = 0;   ///< counted from 0
    uint64_t position = 0; ///< offset of the entry in the log
    LogKind kind = LogKind::none;
    bool fua = false;      ///< write: the data was on the medium when the write ended
    bool preflush = false; ///< write: everything before it was flushed first (dm-log-writes)
    bool metadata = false; ///< write: marked as metadata (dm-log-writes)
    uint64_t offset = 0;
    uint64_t length = 0;
    ZoneState state{};     ///< for the kind `state`
    uint64_t inlined = 0;  ///< bytes of additional data in the entry's sector: name of a mark, device, zones

    bool has_data() const { return kind == LogKind::write || kind == LogKind::append; }
    /// Offset in the log of the data of a write.
    uint64_t data_position(uint32_t sector_size) const { return position + sector_size; }
    /// Offset in the log of the next entry; empty if it would exceed the longest log.
    std::optional<uint64_t> next_position(uint32_t sector_size) const;

    void encode(std::span<uint8_t> sector, uint32_t sector_size) const;
    /// The caller sets `position` and `number`. EINVAL for an invalid entry.
    static Result<LogEntry> decode(std::span<const uint8_t> sector, uint32_t sector_size);
};

/// `write`, `flush`, ...
std::string_view log_kind_name(LogKind kind);
/// The zone operation of an entry, if it is one.
std::optional<ZoneOp> zone_op_of(LogKind kind);
LogKind log_kind_of(ZoneOp op);

uint64_t load_le64(const uint8_t* bytes);
void store_le64(uint8_t* bytes, uint64_t value);

} // namespace zoneio
