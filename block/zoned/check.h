// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/chain/named_file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zoneio {

/// What a look at the file of an emulated zoned device found.
struct ZonedCheck {
    struct Problem {
        std::string text;
        bool repaired = false;
    };
    std::vector<Problem> problems; ///< at most 1000 are described
    uint64_t found = 0;
    uint64_t repaired = 0;

    uint64_t left() const { return found - repaired; }
    void add(std::string text, bool is_repaired);
};

/// Checks header, table and limits. With `repair`, mends what can be: the header from its copy, a zone's word from
/// the one that the last flush left; a zone of which nothing is known is taken offline.
///
/// Errors: the file cannot be opened, is in use (not looked at when it is `shared` with who has it open), or is no
/// zoned device at all.
Result<ZonedCheck> check_zoned_file(const NamedFile& file, bool repair, bool shared);

} // namespace zoneio
