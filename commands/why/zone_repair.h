// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands that repair a failure on a zoned device. Each is tried on a copy of the zones before it is suggested.
#pragma once

#include "commands/why/why.h"

#include <initializer_list>
#include <optional>
#include <string>

namespace zoneio {

/// A command, and the request that it makes.
struct ZoneRepair {
    FailedRequest request; ///< its status is not used
    std::string command;
    std::string note = {};
};

/// The command as text: `zone_reset 5z 1z`.
std::string management_command(ZoneOp op, uint64_t zone, uint64_t count = 1);

ZoneRepair management_repair(const Evidence& evidence, ZoneOp op, uint64_t zone, uint64_t count = 1, std::string note = {});
/// Sets a zone of an emulated device to empty.
ZoneRepair state_repair(const Evidence& evidence, uint64_t zone);
/// The failed write or append at the write pointer of this zone, shortened to the space left; empty if there is none.
std::optional<ZoneRepair> write_repair(const Evidence& evidence, uint64_t zone, uint64_t bytes);

/// The whole failed request, and its part in one zone.
FailedRequest whole_request(const Evidence& evidence);
FailedRequest request_in_zone(const Evidence& evidence, const ZonePart& part);
/// A write of this part at the start of its zone.
FailedRequest write_from_start(const Evidence& evidence, const ZonePart& part);

/// Suggests the first repair that would succeed and after which `after`, if given, would succeed. Suggests none if
/// there is none.
void name_repair(const Evidence& evidence, Explanation& explanation, std::initializer_list<std::optional<ZoneRepair>> repairs,
                 const std::optional<FailedRequest>& after = std::nullopt);

/// True if the request would succeed now.
bool would_work(const Evidence& evidence, const FailedRequest& request);

} // namespace zoneio
