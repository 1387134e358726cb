// SPDX-License-Identifier: GPL-3.0-or-later
//
// The end of exports, by the user or by themselves.
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Waits until the export has ended, or for SIGINT or SIGTERM.
void wait_for_end(Session& session, const Export& served);

/// Ends an export and flushes the image: its writes are on the medium then, or the command fails.
Status end_export(Session& session, Export& served);

} // namespace zoneio
