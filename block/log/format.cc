// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/format.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace zoneio {

namespace {

// Flags of version 1.
constexpr uint64_t flag_flush = 1U << 0;
constexpr uint64_t flag_fua = 1U << 1;
constexpr uint64_t flag_discard = 1U << 2;
constexpr uint64_t flag_mark = 1U << 3;
constexpr uint64_t flag_metadata = 1U << 4;
// zoneio's own flags. Except for appends, these entries have no sectors, so programs that know only version 1 skip them.
constexpr uint64_t flag_append = 1U << 5;
constexpr uint64_t flag_reset = 1U << 6;
constexpr uint64_t flag_finish = 1U << 7;
constexpr uint64_t flag_open = 1U << 8;
constexpr uint64_t flag_close = 1U << 9;
constexpr uint64_t flag_state = 1U << 10;
constexpr uint64_t flag_device = 1U << 11;
constexpr uint64_t flag_zones = 1U << 12;
constexpr uint64_t flag_length = 1U << 13;
constexpr unsigned state_shift = 16; ///< position of the state's number, 8 bits

struct KindFlag {
    LogKind kind;
    uint64_t flag;
    std::string_view name;
};

/// Flags that decide the kind, by precedence.
constexpr KindFlag kind_flags[] = {
    {LogKind::mark, flag_mark, "mark"},       {LogKind::discard, flag_discard, "discard"},
    {LogKind::reset, flag_reset, "reset"},    {LogKind::finish, flag_finish, "finish"},
    {LogKind::open, flag_open, "open"},       {LogKind::close, flag_close, "close"},
    {LogKind::state, flag_state, "state"},
    {LogKind::device, flag_device, "device"}, {LogKind::zones, flag_zones, "zones"},
    {LogKind::length, flag_length, "length"},
    {LogKind::append, flag_append, "append"}, {LogKind::flush, flag_flush, "flush"},
    {LogKind::write, 0, "write"},             {LogKind::none, 0, "none"},
};

const KindFlag& row_of(LogKind kind) {
    return *std::find_if(std::begin(kind_flags), std::end(kind_flags), [&](const KindFlag& row) { return row.kind == kind; });
}

/// True for entries whose length is in bytes, without data after them.
bool has_bytes_only(LogKind kind) {
    return kind == LogKind::state || kind == LogKind::length || zone_op_of(kind).has_value();
}

LogKind kind_of(uint64_t flags, uint64_t sectors) {
    for (const KindFlag& row : kind_flags) {
        // A flush with data is a write with a preflush.
        if ((flags & row.flag) != 0 && (row.kind != LogKind::flush || sectors == 0)) {
            return row.kind;
        }
    }
    return sectors > 0 ? LogKind::write : LogKind::none;
}

} // namespace

uint64_t load_le64(const uint8_t* bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= uint64_t{bytes[i]} << (8 * i);
    }
    return value;
}

void store_le64(uint8_t* bytes, uint64_t value) {
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    }
}

bool is_log_sector_size(uint64_t bytes) {
    return std::has_single_bit(bytes) && bytes >= LogSuper::smallest_sector && bytes <= LogSuper::largest_sector;
}

void LogSuper::encode(std::span<uint8_t> sector) const {
    std::fill(sector.begin(), sector.end(), uint8_t{0});
    store_le64(&sector[0], magic);
    store_le64(&sector[8], version);
    store_le64(&sector[16], entries);
    for (unsigned i = 0; i < 4; i++) {
        sector[24 + i] = static_cast<uint8_t>(sector_size >> (8 * i));
    }
}

Result<LogSuper> LogSuper::decode(std::span<const uint8_t> sector) {
    if (load_le64(&sector[0]) != magic) {
        return Status::invalid("Invalid log superblock magic").because(Cause::not_a_write_log);
    }
    if (const uint64_t found = load_le64(&sector[8]); found != version) {
        return Status::invalid(fmt::format("Unsupported log version {}", found)).because(Cause::not_a_write_log);
    }
    LogSuper super;
    super.entries = load_le64(&sector[16]);
    super.sector_size = 0;
    for (unsigned i = 0; i < 4; i++) {
        super.sector_size |= uint32_t{sector[24 + i]} << (8 * i);
    }
    if (!is_log_sector_size(super.sector_size)) {
        return Status::invalid(fmt::format("Invalid log sector size {}", super.sector_size)).because(Cause::not_a_write_log);
    }
    return super;
}

std::optional<uint64_t> LogEntry::next_position(uint32_t sector_size) const {
    const uint64_t data = has_data() ? length : 0;
    const uint64_t begin = data_position(sector_size);
    constexpr uint64_t end_of_all = INT64_MAX;
    return begin > end_of_all || data > end_of_all - begin ? std::nullopt : std::optional(begin + data);
}

void LogEntry::encode(std::span<uint8_t> sector, uint32_t sector_size) const {
    std::fill(sector.begin(), sector.end(), uint8_t{0});
    uint64_t flags = row_of(kind).flag | (preflush ? flag_flush : 0) | (fua ? flag_fua : 0) | (metadata ? flag_metadata : 0);
    if (kind == LogKind::state) {
        flags |= uint64_t{static_cast<uint8_t>(state)} << state_shift;
    }
    const bool has_sectors = has_data() || kind == LogKind::discard;
    store_le64(&sector[0], offset / sector_size);
    store_le64(&sector[8], has_sectors ? length / sector_size : 0);
    store_le64(&sector[16], flags);
    store_le64(&sector[24], has_bytes_only(kind) ? length : inlined);
}

Result<LogEntry> LogEntry::decode(std::span<const uint8_t> sector, uint32_t sector_size) {
    const uint64_t first = load_le64(&sector[0]);
    const uint64_t sectors = load_le64(&sector[8]);
    const uint64_t flags = load_le64(&sector[16]);
    const uint64_t own = load_le64(&sector[24]);
    const uint64_t most = static_cast<uint64_t>(INT64_MAX) / sector_size;
    LogEntry entry;
    entry.kind = kind_of(flags, sectors);
    entry.fua = (flags & flag_fua) != 0;
    entry.preflush = entry.has_data() && (flags & flag_flush) != 0;
    entry.metadata = entry.has_data() && (flags & flag_metadata) != 0;
    if (first > most || sectors > most - first) {
        return Status::invalid(fmt::format("sector {} and {} sectors are more than an image can have", first, sectors));
    }
    entry.offset = first * sector_size;
    entry.length = has_bytes_only(entry.kind) ? own : sectors * sector_size;
    entry.state = static_cast<ZoneState>(flags >> state_shift & 0xff);
    const bool has_own = entry.kind == LogKind::mark || entry.kind == LogKind::device || entry.kind == LogKind::zones;
    entry.inlined = has_own ? own : 0;
    if (entry.inlined > sector_size - bytes_on_medium) {
        return Status::invalid(fmt::format("{} bytes do not fit into the entry's sector", entry.inlined));
    }
    return entry;
}

std::string_view log_kind_name(LogKind kind) {
    return row_of(kind).name;
}

std::optional<ZoneOp> zone_op_of(LogKind kind) {
    switch (kind) {
    case LogKind::reset: return ZoneOp::reset;
    case LogKind::finish: return ZoneOp::finish;
    case LogKind::open: return ZoneOp::open;
    case LogKind::close: return ZoneOp::close;
    default: return std::nullopt;
    }
}

LogKind log_kind_of(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return LogKind::open;
    case ZoneOp::close: return LogKind::close;
    case ZoneOp::finish: return LogKind::finish;
    case ZoneOp::reset: break;
    }
    return LogKind::reset;
}

} // namespace zoneio
