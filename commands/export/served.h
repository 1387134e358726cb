// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// For commands that would pull the image away: tells that it is served, if it is. True: the command must not run.
bool is_refused_while_served(Session& session, const Command& command);

} // namespace zoneio
