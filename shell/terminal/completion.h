// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/session.h"

namespace zoneio {

/// Makes the Tab key offer the results of complete() and, where they are allowed, file names.
void install_completion(Session& session);

} // namespace zoneio
