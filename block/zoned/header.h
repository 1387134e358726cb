// SPDX-License-Identifier: GPL-3.0-or-later
//
// The layout of the file behind an emulated zoned device; docs/zoned-file-format.md tells all of it.
#pragma once

#include "block/base/status.h"
#include "block/zoned/geometry.h"
#include "block/zoned/table.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace zoneio {

/// What such a file begins with.
inline constexpr std::string_view zoned_magic{"zoneio-zoned\r\n\x1a\n", 16};

/// The parts before the zones, each on pages of its own. Bytes from the begin of the file.
struct ZonedLayout {
    static constexpr uint64_t page = 4096;
    static constexpr uint64_t header = 0;
    static constexpr uint64_t session = 4096;     ///< ZonedSession
    static constexpr uint64_t header_copy = 8192; ///< the header once more, for repairs
    static constexpr uint64_t table = 12288;      ///< one ZoneEntry per zone
    static constexpr uint64_t data_alignment = 1 << 20;

    static uint64_t table_bytes(const ZoneGeometry& geometry) { return geometry.zone_count() * sizeof(ZoneEntry); }
    /// Where the zones begin.
    static uint64_t data(const ZoneGeometry& geometry);
    /// Whole pages, so that O_DIRECT reaches the end.
    static uint64_t file_bytes(const ZoneGeometry& geometry) {
        return (data(geometry) + geometry.size + page - 1) / page * page;
    }
};

/// The page that says which run of which kernel wrote the words last. Mapped.
struct ZonedSession {
    std::array<char, 40> boot_id{}; ///< the kernel's /proc/sys/kernel/random/boot_id, zeros behind
    uint64_t cursor = 0;            ///< little endian: where the search for a zone to close goes on
};

using ZonedHeaderBytes = std::array<uint8_t, 512>;

/// The header for a geometry. It is never changed.
ZonedHeaderBytes encode_zoned_header(const ZoneGeometry& geometry);

/// EINVAL with the reason when these 512 bytes are no sound header.
Result<ZoneGeometry> decode_zoned_header(std::span<const uint8_t> bytes);

/// Do these bytes begin such a file, sound or not?
bool has_zoned_magic(std::span<const uint8_t> head);

/// The boot id of the running kernel; empty where it has none.
std::array<char, 40> current_boot_id();

} // namespace zoneio
