// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/session.h"

namespace zoneio {

/// Reads and runs commands from a terminal, with line editing and history, until the end of the input or `quit`. With
/// `starts_up`, start_prompt() runs first.
void run_terminal_prompt(Session& session, bool starts_up);

} // namespace zoneio
