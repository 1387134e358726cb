// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <string>
#include <string_view>

namespace zoneio {

/// The rule that keeps this zone from an operation, whatever else is open, in a few words; empty when there is none. What
/// devices do not agree about (closing what is not open, opening what is full) counts as forbidden.
std::string_view rule_against(ZoneOp op, const ZoneDescriptor& zone);

/// Why an operation on one zone failed, which was as `zone` says before: the rule, the limit that was reached, or the text
/// of the errno.
std::string refusal_text(ZoneOp op, const ZoneDescriptor& zone, const Status& status);

} // namespace zoneio
