// SPDX-License-Identifier: GPL-3.0-or-later
//
// Layout of the file of an emulated zoned device. docs/zoned-file-format.md describes it.
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

/// First bytes of such a file.
inline constexpr std::string_view zoned_magic{"zoneio-zoned\r\n\x1a\n", 16};

/// Offsets in the file of the parts before the zones, in bytes. Each part has its own pages.
struct ZonedLayout {
    static constexpr uint64_t page = 4096;
    static constexpr uint64_t header = 0;
    static constexpr uint64_t session = 4096;     ///< ZonedSession
    static constexpr uint64_t header_copy = 8192; ///< copy of the header, for repairs
    static constexpr uint64_t table = 12288;      ///< one ZoneEntry per zone
    static constexpr uint64_t data_alignment = 1 << 20;

    static uint64_t table_bytes(const ZoneGeometry& geometry) { return geometry.zone_count() * sizeof(ZoneEntry); }
    /// Offset of the first zone.
    static uint64_t data(const ZoneGeometry& geometry);
    /// Length of the file, a multiple of whole pages, so that O_DIRECT reaches the end.
    static uint64_t file_bytes(const ZoneGeometry& geometry) {
        return (data(geometry) + geometry.size + page - 1) / page * page;
    }
};

/// First bytes of the session page. Earlier versions, which did not check mounts, stored the boot id here: they do not
/// find their own id and trust only the last flush.
inline constexpr std::array<char, 40> zoned_session_mark{"zoneio session 2"};

/// The session page, mapped: who changed the words last, and how that session ended. Numbers are little endian.
struct ZonedSession {
    std::array<char, 40> mark{};    ///< zoned_session_mark
    uint64_t cursor = 0;            ///< zone at which the search for a zone to close continues
    std::array<char, 40> boot_id{}; ///< this and the next three: MediumIdentity of the last session that changed
                                    ///< anything
    uint64_t device = 0;
    uint64_t disk_sequence = 0;
    uint64_t mount = 0;
    uint64_t owner = 0;       ///< 0: the last session flushed everything before it ended; otherwise the number of that
                              ///< session
    uint64_t sync_failed = 0; ///< not 0: a sync failed, and the pages were not written again
};
static_assert(sizeof(ZonedSession) == 128);

/// Stores an identity in a session page.
void set_identity(ZonedSession& session, const MediumIdentity& identity);
/// Removes the identity and the owner from a session page.
void forget_identity(ZonedSession& session);
/// True if the page has this identity: nothing that the session stored can have been lost since.
bool has_identity(const ZonedSession& session, const MediumIdentity& identity);

using ZonedHeaderBytes = std::array<uint8_t, 512>;

/// Encodes the header for a geometry. A header is never changed.
ZonedHeaderBytes encode_zoned_header(const ZoneGeometry& geometry);

/// EINVAL, with the reason, if these 512 bytes are not a valid header.
Result<ZoneGeometry> decode_zoned_header(std::span<const uint8_t> bytes);

/// True if these bytes start such a file, even if the header is damaged.
bool has_zoned_magic(std::span<const uint8_t> head);

} // namespace zoneio
