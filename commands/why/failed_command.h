// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/session.h"

namespace zoneio {

/// Explains the last failure where it is reported: in its record or, with `prints`, in a line on stderr with the place
/// in the script and the cause. For Reporter::set_explainer().
void explain_failed_command(Session& session, JsonRecord* record, bool prints);

} // namespace zoneio
