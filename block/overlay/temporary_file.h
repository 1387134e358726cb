// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"

#include <memory>
#include <string>

namespace zoneio {

/// A private temporary file in $TMPDIR: created with mode 0600 and unlinked at once. Its space is freed when it is
/// closed, however the program ends.
struct TemporaryFile {
    std::string name; ///< original name as shown, see use_fixed_names()
    std::unique_ptr<BlockNode> node;
};

/// Creates a temporary file. As in QEMU, the folder is /var/tmp if TMPDIR is unset or /tmp, which may be in memory.
Result<TemporaryFile> open_temporary_file();

} // namespace zoneio
