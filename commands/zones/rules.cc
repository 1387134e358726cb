// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/rules.h"

#include "commands/text/zone_words.h"

namespace zoneio {

std::string_view rule_against(ZoneOp op, const ZoneDescriptor& zone) {
    if (zone.type == ZoneType::conventional) {
        return "a conventional zone has no state to change";
    }
    if (zone.state == ZoneState::offline) {
        return "an offline zone cannot change its state";
    }
    if (zone.state == ZoneState::read_only) {
        return "a read-only zone cannot change its state";
    }
    if (op == ZoneOp::open && zone.state == ZoneState::full) {
        return "a full zone must be reset before it can be opened";
    }
    if (op == ZoneOp::close && !is_active(zone.state)) {
        return zone.state == ZoneState::full ? "a full zone is not open" : "an empty zone is not open";
    }
    return {};
}

std::string refusal_text(ZoneOp op, const ZoneDescriptor& zone, const Status& status) {
    switch (status.code()) {
    case ETOOMANYREFS: return "open-zone limit reached";
    case EOVERFLOW: return "active-zone limit reached";
    case EBADF: return "the device is open read-only";
    default: break;
    }
    const std::string_view rule = rule_against(op, zone);
    return rule.empty() ? Status::from_errno(status.code()).message() : std::string(rule);
}

} // namespace zoneio
