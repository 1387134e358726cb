// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

namespace zoneio {

/// For commands that would close or replace the image: reports an error if it is exported. True: the command must not
/// run.
bool is_refused_while_served(Session& session, const Command& command);

} // namespace zoneio
