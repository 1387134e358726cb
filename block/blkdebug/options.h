// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/blkdebug/rules.h"
#include "block/node/driver.h"
#include "block/options/options.h"

#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// Words of `take-child-perms` and `unshare-child-perms`.
inline constexpr EnumWord<unsigned> permission_words[] = {
    {"consistent-read", Permissions::consistent_read},
    {"write", Permissions::write},
    {"write-unchanged", Permissions::write_unchanged},
    {"resize", Permissions::resize},
};

/// Settings of a blkdebug node.
struct BlkdebugSettings {
    std::optional<std::string> config; ///< name of the file with rules
    std::optional<std::string> image;  ///< name of the child, if it is not a separate option

    uint64_t align = 0; ///< bytes, like the sizes below; 0: not set
    uint64_t max_transfer = 0;
    uint64_t opt_write_zero = 0;
    uint64_t max_write_zero = 0;
    uint64_t opt_discard = 0;
    uint64_t max_discard = 0;

    unsigned take_permissions = 0;    ///< permissions that the node takes on its child, in addition to its user's
    unsigned unshare_permissions = 0; ///< permissions that others must not have

    std::vector<BlkdebugRule> rules; ///< in the order in which they are added
};

/// Takes blkdebug's options out and reads the file of rules. If there are several errors, returns the one that QEMU
/// reports.
Result<BlkdebugSettings> take_blkdebug_options(Options& options);

/// EINVAL, with the reason, for limits that contradict each other or the child's alignment (bytes).
Status check_blkdebug_limits(const BlkdebugSettings& settings, uint64_t child_alignment);

} // namespace zoneio
