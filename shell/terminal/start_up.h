// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/control/script.h"

namespace zoneio {

/// What a prompt at a terminal begins with: a line that names `help` and `why`, and the commands in $XDG_CONFIG_HOME/zoneio/rc,
/// or ~/.config/zoneio/rc, if there is such a file of the user's own. False: no more commands are to be run.
bool start_prompt(Session& session, CommandSequence& sequence);

} // namespace zoneio
