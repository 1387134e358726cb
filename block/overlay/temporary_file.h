// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"

#include <memory>
#include <string>

namespace zoneio {

/// A file that nobody else sees: made with mode 0600 in $TMPDIR and unlinked at once, its space is given back when it
/// is closed, however the program ends.
struct TemporaryFile {
    std::string name; ///< what it was called, as it is shown: see use_fixed_names()
    std::unique_ptr<BlockNode> node;
};

/// Makes one. Without TMPDIR, or when that is /tmp, which may be memory, it is in /var/tmp: upstream's rule.
Result<TemporaryFile> open_temporary_file();

} // namespace zoneio
