// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string_view>

namespace zoneio {

/// Puts a mark with this name into the logs that drivers of this program are writing, behind what they have logged so far.
/// ENOTSUP: there is none. EINVAL for a name that is too long.
Status mark_logs(std::string_view name);

} // namespace zoneio
