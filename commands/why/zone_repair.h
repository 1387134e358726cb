// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands that mend what failed on a zoned device. Each is tried on a copy of the zones before it is named.
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

/// `zone_reset 5z 1z`
std::string management_command(ZoneOp op, uint64_t zone, uint64_t count = 1);

ZoneRepair management_repair(const Evidence& evidence, ZoneOp op, uint64_t zone, uint64_t count = 1, std::string note = {});
/// Takes one zone of an emulated device back, empty.
ZoneRepair state_repair(const Evidence& evidence, uint64_t zone);
/// The write or append that failed, at the write pointer of this zone and as long as there is room; nothing where there is none.
std::optional<ZoneRepair> write_repair(const Evidence& evidence, uint64_t zone, uint64_t bytes);

/// The failed request, and the piece of it in the zone in question.
FailedRequest whole_request(const Evidence& evidence);
FailedRequest request_in_zone(const Evidence& evidence, const ZonePart& part);
/// A write of this piece at the begin of its zone.
FailedRequest write_from_start(const Evidence& evidence, const ZonePart& part);

/// Names the first repair that would work, after which `after` (where one is given) would work, too. None where there is none.
void name_repair(const Evidence& evidence, Explanation& explanation, std::initializer_list<std::optional<ZoneRepair>> repairs,
                 const std::optional<FailedRequest>& after = std::nullopt);

/// Would the request work now?
bool would_work(const Evidence& evidence, const FailedRequest& request);

} // namespace zoneio
