// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/chain/named_file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zoneio {

/// Result of checking the file of an emulated zoned device.
struct ZonedCheck {
    struct Problem {
        std::string text;
        bool repaired = false;
    };
    std::vector<Problem> problems; ///< at most 1000 problems are described
    uint64_t found = 0;
    uint64_t repaired = 0;

    uint64_t left() const { return found - repaired; }
    void add(std::string text, bool is_repaired);
};

/// Checks header, table and limits. `repair`: restores the header from its copy and an invalid word from the word of
/// the last flush; takes a zone offline if it has no valid word.
///
/// Errors: the file cannot be opened; it is in use (unless `shared`); it holds no zoned device.
Result<ZonedCheck> check_zoned_file(const NamedFile& file, bool repair, bool shared);

} // namespace zoneio
