// SPDX-License-Identifier: GPL-3.0-or-later
//
// The layout of the file behind an emulated zoned device; docs/zoned-file-format.md tells all of it.
#pragma once

#include "block/base/status.h"
#include "block/host/medium_identity.h"
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

/// What the session page begins with. Earlier versions, which knew nothing of mounts, kept the boot id there: they find
/// none of theirs, and believe the last flush alone.
inline constexpr std::array<char, 40> zoned_session_mark{"zoneio session 2"};

/// The page that says who changed the words last, and how that ended. Mapped. Numbers are little endian.
struct ZonedSession {
    std::array<char, 40> mark{};    ///< zoned_session_mark
    uint64_t cursor = 0;            ///< number of the zone at which the search for one to close goes on
    std::array<char, 40> boot_id{}; ///< this and the next three: the MediumIdentity of the last session that changed anything
    uint64_t device = 0;
    uint64_t disk_sequence = 0;
    uint64_t mount = 0;
    uint64_t owner = 0;       ///< 0: the last session flushed everything before it ended; else a number of its own
    uint64_t sync_failed = 0; ///< not 0: a sync failed, and nothing has been written once more since
};
static_assert(sizeof(ZonedSession) == 128);

/// Stores an identity in a session page.
void set_identity(ZonedSession& session, const MediumIdentity& identity);
/// Makes a session page nobody's.
void forget_identity(ZonedSession& session);
/// True when the page was written under this identity: nothing that it speaks of can have been lost since.
bool has_identity(const ZonedSession& session, const MediumIdentity& identity);

using ZonedHeaderBytes = std::array<uint8_t, 512>;

/// The header for a geometry. It is never changed.
ZonedHeaderBytes encode_zoned_header(const ZoneGeometry& geometry);

/// EINVAL with the reason when these 512 bytes are no sound header.
Result<ZoneGeometry> decode_zoned_header(std::span<const uint8_t> bytes);

/// Do these bytes begin such a file, sound or not?
bool has_zoned_magic(std::span<const uint8_t> head);

} // namespace zoneio
