// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/control/script.h"

namespace zoneio {

/// Starts a prompt at a terminal: prints a line about `help` and `why`, and runs the commands in
/// $XDG_CONFIG_HOME/zoneio/rc or ~/.config/zoneio/rc if the file belongs to this user. False: no more commands are to
/// run.
bool start_prompt(Session& session, CommandSequence& sequence);

} // namespace zoneio
