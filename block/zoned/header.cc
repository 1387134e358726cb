// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/header.h"

#include <atomic>
#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr uint32_t format_version = 1;

// Offsets of the header's fields. Numbers are little endian.
constexpr size_t version_at = 16;
constexpr size_t block_size_at = 20;
constexpr size_t first_number_at = 24;
constexpr size_t check_sum_at = 508;

/// The 64-bit numbers in the order in which they are stored.
constexpr std::array numbers{
    &ZoneGeometry::size,           &ZoneGeometry::zone_size,        &ZoneGeometry::zone_capacity,    &ZoneGeometry::conventional_zones,
    &ZoneGeometry::max_open_zones, &ZoneGeometry::max_active_zones, &ZoneGeometry::max_append_bytes,
};

constexpr std::array<uint32_t, 256> crc_table() {
    constexpr uint32_t castagnoli_reflected = 0x82f63b78;
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ ((value & 1U) != 0 ? castagnoli_reflected : 0U);
        }
        table[i] = value;
    }
    return table;
}

uint32_t crc32c(std::span<const uint8_t> bytes) {
    static constexpr std::array<uint32_t, 256> table = crc_table();
    uint32_t crc = UINT32_MAX;
    for (const uint8_t byte : bytes) {
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xffU];
    }
    return ~crc;
}

template <typename T>
void put(ZonedHeaderBytes& header, size_t at, T value) {
    for (size_t i = 0; i < sizeof(T); i++) {
        header[at + i] = static_cast<uint8_t>(value >> 8 * i);
    }
}

template <typename T>
T get(std::span<const uint8_t> header, size_t at) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); i++) {
        value |= static_cast<T>(header[at + i]) << 8 * i;
    }
    return value;
}

Status corrupt_header(std::string text) {
    return Status::invalid("the header of the zoned device is corrupt: " + std::move(text));
}

} // namespace

uint64_t ZonedLayout::data(const ZoneGeometry& geometry) {
    const uint64_t end = table + table_bytes(geometry);
    return (end + data_alignment - 1) / data_alignment * data_alignment;
}

ZonedHeaderBytes encode_zoned_header(const ZoneGeometry& geometry) {
    ZonedHeaderBytes header{};
    memcpy(header.data(), zoned_magic.data(), zoned_magic.size());
    put(header, version_at, format_version);
    put(header, block_size_at, geometry.block_size);
    size_t at = first_number_at;
    for (const auto number : numbers) {
        put(header, at, geometry.*number);
        at += sizeof(uint64_t);
    }
    put(header, check_sum_at, crc32c(std::span(header).first(check_sum_at)));
    return header;
}

Result<ZoneGeometry> decode_zoned_header(std::span<const uint8_t> bytes) {
    if (bytes.size() < sizeof(ZonedHeaderBytes)) {
        return corrupt_header("it is truncated");
    }
    if (!has_zoned_magic(bytes)) {
        return corrupt_header("the file does not start with the magic bytes");
    }
    const auto stored = get<uint32_t>(bytes, check_sum_at);
    const uint32_t computed = crc32c(bytes.first(check_sum_at));
    if (stored != computed) {
        return corrupt_header(fmt::format("its checksum is {:#010x}, not {:#010x}", stored, computed));
    }
    const auto version = get<uint32_t>(bytes, version_at);
    if (version != format_version) {
        return Status::error(ENOTSUP, fmt::format("the zoned device has format version {}; zoneio knows {} only", version,
                                                  format_version));
    }
    ZoneGeometry geometry;
    geometry.block_size = get<uint32_t>(bytes, block_size_at);
    size_t at = first_number_at;
    for (const auto number : numbers) {
        geometry.*number = get<uint64_t>(bytes, at);
        at += sizeof(uint64_t);
    }
    Status status = geometry.check();
    if (!status.ok()) {
        return corrupt_header(status.message());
    }
    return geometry;
}

bool has_zoned_magic(std::span<const uint8_t> head) {
    return head.size() >= zoned_magic.size() && memcmp(head.data(), zoned_magic.data(), zoned_magic.size()) == 0;
}

void set_identity(ZonedSession& session, const MediumIdentity& identity) {
    session.boot_id = identity.boot_id;
    session.device = htole64(identity.device);
    session.disk_sequence = htole64(identity.disk_sequence);
    session.mount = htole64(identity.mount);
    // A process that is killed before the mark is stored leaves a page that nobody trusts.
    std::atomic_signal_fence(std::memory_order_release);
    session.mark = zoned_session_mark;
}

void forget_identity(ZonedSession& session) {
    session.mark = {};
    // The other fields too: otherwise the next identity, if only its mark reaches the medium, would restore the old
    // one.
    session.boot_id = {};
    session.device = session.disk_sequence = session.mount = 0;
}

bool has_identity(const ZonedSession& session, const MediumIdentity& identity) {
    const MediumIdentity stored{session.boot_id, le64toh(session.device), le64toh(session.disk_sequence), le64toh(session.mount)};
    return session.mark == zoned_session_mark && identity.is_known() && stored == identity;
}

} // namespace zoneio
