// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Splits a line into words at spaces, in place, looks the command up and runs it. An empty line does nothing. A command
/// may run another one: then Session::words() and Session::text_from() are no longer about the outer one.
Outcome run_line(Session& session, char* line);

} // namespace zoneio
