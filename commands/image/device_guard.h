// SPDX-License-Identifier: GPL-3.0-or-later
//
// What stands between a slip in a device's name and somebody's data.
#pragma once

#include "block/node/open_context.h"

namespace zoneio {

class Session;

/// The guard that a session wants, for opening an image; empty where it wants none.
WriteGuard write_guard(Session& session);

} // namespace zoneio
