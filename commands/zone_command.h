// SPDX-License-Identifier: GPL-3.0-or-later
//
// What zoneio's own zone commands have in common.
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Is the open device zoned? Says so when not.
bool check_zoned(Session& session, const Command& command);

/// `PROGRAM: COMMAND: REASON` on stderr, or that the user ended it.
Outcome zone_command_failed(Session& session, const Command& command, const Status& status);

} // namespace zoneio
