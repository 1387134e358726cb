// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Splits a line at spaces and runs it. The line is modified.
Outcome run_line(Session& session, char* line);

} // namespace zoneio
