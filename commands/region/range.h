// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ranges of region commands, and how they show offsets and lengths.
#pragma once

#include "commands/command.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace zoneio {

/// A range of the open image, in bytes. It lies within the image and may exceed the longest request.
struct Region {
    uint64_t offset = 0;
    uint64_t length = 0;

    uint64_t end() const { return offset + length; }
};

/// Parses the operands `[off [len]]`. `all` as an offset means the whole image, as a length everything up to its end. A
/// zone address alone (`5z`) means that zone.
///
/// `usual`: default length, cut at the end of the image. Empty after an error, which has been reported.
std::optional<Region> parse_region(Session& session, const Command& command, std::span<char* const> operands,
                                   uint64_t usual = UINT64_MAX);

/// `4096 (0x1000)`; on a zoned device `4194304 (0x400000, 1z)`.
std::string place_text(Session& session, uint64_t offset);
/// `512 bytes`, `4096 bytes (4 KiB)`.
std::string bytes_text(uint64_t bytes);

} // namespace zoneio
