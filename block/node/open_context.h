// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the factory of a driver is given when a node is opened.
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

/// Opens the child of a driver that sees to it itself: a name, options below the child's key, or both. Null when there
/// is nothing of either.
using ChildOpener = std::function<Result<std::unique_ptr<BlockNode>>(std::optional<std::string> filename, Options& options)>;

/// Asked before a file or device is opened for writing, by its name: an error keeps it from being opened, and is that of opening.
using WriteGuard = std::function<Status(const std::string& filename)>;

/// What a driver's factory is given.
struct OpenContext {
    NodeFlags flags;
    std::string filename;             ///< empty when there is none
    std::unique_ptr<BlockNode> child; ///< what `file` names, opened before; may be null
    bool probed = false;              ///< raw: nobody named the format
    AioMode default_aio = AioMode::threads;
    std::vector<Notice> notices; ///< for the factory to add to
    ChildOpener open_child;      ///< for drivers that name their child, see DriverInfo::own_child
    WriteGuard write_guard;      ///< may be empty
};

} // namespace zoneio
