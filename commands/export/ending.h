// SPDX-License-Identifier: GPL-3.0-or-later
//
// How exports end: at a wish of the user, or by themselves.
#pragma once

#include "commands/command.h"

namespace zoneio {

/// Waits until the export has ended, or SIGINT or SIGTERM comes.
void wait_for_end(Session& session, const Export& served);

/// Ends an export and flushes the image: what was written by it is on the medium then, or the failure tells that it is not.
Status end_export(Session& session, Export& served);

} // namespace zoneio
