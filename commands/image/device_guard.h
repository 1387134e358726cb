// SPDX-License-Identifier: GPL-3.0-or-later
//
// What stands between a slip in a device's name and somebody's data.
#pragma once

#include "block/node/open_context.h"

namespace zoneio {

class Session;

/// What happens before a block device is opened for writing that is in use or has partitions, see path_uses().
enum class Guard : uint8_t {
    off,  ///< nothing, as in qemu-io
    warn, ///< a warning
    ask,  ///< a question, see Session::confirm; any other answer than yes keeps it closed (ECANCELED)
};

/// The guard that a session wants, for opening an image; empty where it wants none.
WriteGuard write_guard(Session& session);

} // namespace zoneio
