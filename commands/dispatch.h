// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Splits a line into words at spaces, in place, finds the command and runs it. Ignores an empty line. If the command
/// runs another one, Session::words() and Session::text_from() no longer describe the outer command.
Outcome run_line(Session& session, char* line);

} // namespace zoneio
