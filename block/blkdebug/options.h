// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/blkdebug/rules.h"
#include "block/node/driver.h"
#include "block/options/options.h"

#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// What `take-child-perms` and `unshare-child-perms` are lists of.
inline constexpr EnumWord<unsigned> permission_words[] = {
    {"consistent-read", Permissions::consistent_read},
    {"write", Permissions::write},
    {"write-unchanged", Permissions::write_unchanged},
    {"resize", Permissions::resize},
};

/// What a blkdebug node is told when it is opened.
struct BlkdebugSettings {
    std::optional<std::string> config; ///< name of a file with rules
    std::optional<std::string> image;  ///< name of the child, when it is no option of its own

    uint64_t align = 0; ///< bytes, like all that follow; 0: not set
    uint64_t max_transfer = 0;
    uint64_t opt_write_zero = 0;
    uint64_t max_write_zero = 0;
    uint64_t opt_discard = 0;
    uint64_t max_discard = 0;

    unsigned take_permissions = 0;    ///< Permissions needed of the child, besides the user's
    unsigned unshare_permissions = 0; ///< those that others must not have

    std::vector<BlkdebugRule> rules; ///< in the order in which they are to be added
};

/// Takes blkdebug's own options out, reads the file of rules, and finds the first error as upstream does.
Result<BlkdebugSettings> take_blkdebug_options(Options& options);

/// The limits against each other and the child's alignment: EINVAL, and which cannot be.
Status check_blkdebug_limits(const BlkdebugSettings& settings, uint64_t child_alignment);

} // namespace zoneio
