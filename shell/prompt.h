// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Reads and runs commands from standard input until it ends or one says so: with line editing and history
/// where it is a terminal, and there, if `starts_up`, with start_prompt() before. Session::failed_commands tells how they went.
void run_prompt(Session& session, bool starts_up);

} // namespace zoneio
