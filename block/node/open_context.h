// SPDX-License-Identifier: GPL-3.0-or-later
//
// Input and output of a driver's factory, which opens a node.
#pragma once

#include "block/base/notice.h"
#include "block/node/driver.h"
#include "block/node/node.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// Opens a child that the driver opens itself, from a file name, options below the child's key, or both. Null if
/// neither is given.
using ChildOpener = std::function<Result<std::unique_ptr<BlockNode>>(const std::optional<std::string>& filename, Options& options)>;

/// Called with the name of a file or device before it is opened for writing. An error prevents that and becomes the
/// error of the open.
using WriteGuard = std::function<Status(const std::string& filename)>;

/// Input and output of a driver's factory.
struct OpenContext {
    NodeFlags flags;
    std::string filename;             ///< empty if none was given
    std::unique_ptr<BlockNode> child; ///< the node for `file`, already open; may be null
    bool probed = false;              ///< raw only: the format was probed, not given
    AioMode default_aio = AioMode::threads;
    std::vector<Notice> notices; ///< filled by the factory
    ChildOpener open_child;      ///< opens the child DriverInfo::own_child
    WriteGuard write_guard;      ///< may be empty
};

} // namespace zoneio
