// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"

#include <string>
#include <string_view>

namespace zoneio {

/// The rule that forbids an operation on this zone, whatever the state of other zones; empty if none does. Operations
/// about which devices differ (closing a zone that is not open, opening a full one) count as forbidden.
std::string_view rule_against(ZoneOp op, const ZoneDescriptor& zone);

/// Why an operation on a zone failed: the rule, the limit that was reached, or the text of the errno. `zone`: its state
/// before the operation.
std::string refusal_text(ZoneOp op, const ZoneDescriptor& zone, const Status& status);

} // namespace zoneio
