// SPDX-License-Identifier: GPL-3.0-or-later
//
// The range that a region command works on, and what these commands say about places.
#pragma once

#include "commands/command.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace zoneio {

/// A range of the open image, bytes. It lies within the image and may be longer than one request.
struct Region {
    uint64_t offset = 0;
    uint64_t length = 0;

    uint64_t end() const { return offset + length; }
};

/// The operands `[off [len]]`. `all` is the whole image as an offset, and everything up to its end as a length; a zone
/// address alone (`5z`) is that zone.
///
/// `usual` is the length where none is given, cut off at the end of the image. Nothing after an error, which was reported.
std::optional<Region> parse_region(Session& session, const Command& command, std::span<char* const> operands,
                                   uint64_t usual = UINT64_MAX);

/// `4096 (0x1000)`, on a zoned device `4194304 (0x400000, 1z)`.
std::string place_text(Session& session, uint64_t offset);
/// `512 bytes`, `4096 bytes (4 KiB)`.
std::string bytes_text(uint64_t bytes);

/// `PROGRAM: COMMAND: REASON` on stderr. Always Outcome::failed.
Outcome region_failed(Session& session, const Command& command, const Status& status);

} // namespace zoneio
