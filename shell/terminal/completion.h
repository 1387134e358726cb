// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/session.h"

namespace zoneio {

/// Makes the Tab key offer what complete() knows for the line, and names of files where they may stand.
void install_completion(Session& session);

} // namespace zoneio
