// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Reads and runs commands from standard input until its end or `quit`. On a terminal there are line editing and
/// history and, with `starts_up`, start_prompt() runs first. Failures are counted in Session::failed_commands.
void run_prompt(Session& session, bool starts_up);

} // namespace zoneio
