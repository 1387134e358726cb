// SPDX-License-Identifier: GPL-3.0-or-later
//
// Protects data on devices against mistyped names.
#pragma once

#include "block/node/open_context.h"

namespace zoneio {

class Session;

/// The write guard that a session's settings require; empty if none.
WriteGuard write_guard(Session& session);

} // namespace zoneio
