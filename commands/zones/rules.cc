// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/rules.h"

#include "commands/text/zone_words.h"

namespace zoneio {

std::string_view rule_against(ZoneOp op, const ZoneDescriptor& zone) {
    if (zone.type == ZoneType::conventional) {
        return "a conventional zone has no condition to change";
    }
    if (zone.state == ZoneState::offline) {
        return "the device gave it up: offline zones are neither read nor written";
    }
    if (zone.state == ZoneState::read_only) {
        return "the device gave it up for writing: read-only zones can only be read";
    }
    if (op == ZoneOp::open && zone.state == ZoneState::full) {
        return "a full zone cannot be opened before it is reset";
    }
    if (op == ZoneOp::close && !is_active(zone.state)) {
        return zone.state == ZoneState::full ? "a full zone is not open" : "an empty zone is not open";
    }
    return {};
}

std::string refusal_text(ZoneOp op, const ZoneDescriptor& zone, const Status& status) {
    switch (status.code()) {
    case ETOOMANYREFS: return "as many zones are open as the device allows";
    case EOVERFLOW: return "as many zones are active as the device allows";
    case EBADF: return "the device is open for reading only";
    default: break;
    }
    const std::string_view rule = rule_against(op, zone);
    return rule.empty() ? Status::from_errno(status.code()).message() : std::string(rule);
}

} // namespace zoneio
