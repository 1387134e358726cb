// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes about zones, in the order in which the checks and the device test them.
#include "block/base/size.h"
#include "block/node/node.h"
#include "commands/command.h"
#include "commands/why/zone_repair.h"
#include "commands/zones/rules.h"

namespace zoneio {

namespace {

using Kind = FailedRequest::Kind;

/// `zone 5 is implicitly open, write pointer at 5z+64k (21037056), 64 KiB of 3 MiB written`
std::string describe(Evidence& evidence, const ZonePart& part) {
    const ZoneDescriptor& zone = part.zone;
    std::string text = fmt::format("zone {} is {}", part.number, state_text(zone.state));
    if (has_write_pointer(zone)) {
        text += fmt::format(", write pointer at {} ({})", zone_address(evidence.limits(), zone.write_pointer),
                            zone.write_pointer);
    }
    if (const std::optional<uint64_t> written = written_bytes(zone)) {
        text += fmt::format(", {} of {} written", format_size(*written), format_size(zone.capacity));
    }
    return text;
}

bool is_zone_request(const Evidence& evidence) {
    return evidence.wants(Kind::append) || evidence.wants(Kind::manage) || evidence.wants(Kind::report) ||
           evidence.wants(Kind::state);
}

// --- what is refused before the device is asked ---------------------------------------------------------------------

bool is_not_zoned(Evidence& evidence) {
    return evidence.is(FailureKind::not_zoned) || (is_zone_request(evidence) && !evidence.zoned());
}
Explanation explain_not_zoned(Evidence& /*evidence*/) {
    return {"the open image has no zones",
            {"Zone commands require a zoned block device (host-managed or host-aware) or an emulated one (driver=zoned).",
             "'close', then 'open -o driver=zoned,size=64M,zone.size=4M' opens one in memory."}};
}

bool is_outside(Evidence& evidence) {
    const bool append_at_end = evidence.wants(Kind::append) && evidence.request().offset >= evidence.length();
    return evidence.zoned() && evidence.code() == EIO && (evidence.ends_outside() || append_at_end);
}
Explanation explain_outside(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const Limits& limits = evidence.limits();
    if (request.offset >= evidence.length()) {
        return {fmt::format("zone {} does not exist; the last zone is {}", request.offset / limits.zone_size, limits.nr_zones - 1),
                {fmt::format("The device ends at {} ({}); zones are numbered from 0.", evidence.length(),
                             format_size(evidence.length()))},
                "zone_info"};
    }
    const uint64_t room = evidence.length() - request.offset;
    Explanation explanation{fmt::format("the range ends {} after the end of the device", format_size(request.bytes - room)),
            {fmt::format("The device ends at {} ({}). After {} there are {} left.", evidence.length(),
                         format_size(evidence.length()), zone_address(limits, request.offset), format_size(room))}};
    if (evidence.wants(Kind::manage)) {
        const uint64_t zone = request.offset / limits.zone_size;
        name_repair(evidence, explanation, {management_repair(evidence, request.op, zone, limits.nr_zones - zone)});
    }
    return explanation;
}

bool is_offset_inside_zone(Evidence& evidence) {
    return evidence.zoned() && is_zone_request(evidence) && evidence.code() == EINVAL &&
           evidence.request().offset % evidence.limits().zone_size != 0;
}
Explanation explain_offset_inside_zone(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const uint64_t zone_size = evidence.limits().zone_size;
    const uint64_t zone = request.offset / zone_size;
    Explanation explanation{fmt::format("offset {} is inside zone {}; it must be the start of a zone", request.offset, zone),
                            {fmt::format("Zone {} starts at {}z, which is {}. Zones are {} long.", zone, zone,
                                         zone * zone_size, format_size(zone_size))}};
    if (evidence.wants(Kind::append)) {
        explanation.more.emplace_back("An append takes the start of its zone and writes at the write pointer.");
        name_repair(evidence, explanation, {write_repair(evidence, zone, request.bytes)});
    } else if (evidence.wants(Kind::manage)) {
        const uint64_t zones = std::max<uint64_t>((request.bytes + zone_size - 1) / zone_size, 1);
        name_repair(evidence, explanation, {management_repair(evidence, request.op, zone, zones)});
    }
    return explanation;
}

bool is_length_no_zones(Evidence& evidence) {
    return evidence.zoned() && (evidence.wants(Kind::manage) || evidence.wants(Kind::state)) &&
           evidence.code() == EINVAL && (evidence.request().bytes == 0 || evidence.is(Cause::range_not_zones));
}
Explanation explain_length_no_zones(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const uint64_t zone_size = evidence.limits().zone_size;
    Explanation explanation{request.bytes == 0 ? "a length of 0 covers no zone"
                                               : fmt::format("{} is not a whole number of zones", format_size(request.bytes)),
                            {fmt::format("Zones are {} long. A length of 3z is three zones.", format_size(zone_size))}};
    if (evidence.wants(Kind::manage)) {
        const uint64_t zones = std::max<uint64_t>((request.bytes + zone_size - 1) / zone_size, 1);
        name_repair(evidence, explanation, {management_repair(evidence, request.op, request.offset / zone_size, zones)});
    }
    return explanation;
}

bool is_append_misaligned(Evidence& evidence) {
    return evidence.wants(Kind::append) && evidence.is(Cause::append_misaligned);
}
Explanation explain_append_misaligned(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    Explanation explanation{fmt::format("the length of an append must be a multiple of {}", format_size(evidence.facts().limit)),
                            {"This is the write granularity of the device: the unit of writes to sequential zones."}};
    name_repair(evidence, explanation, {write_repair(evidence, request.offset / evidence.limits().zone_size, request.bytes)});
    return explanation;
}

bool is_append_too_long(Evidence& evidence) {
    const uint64_t most = evidence.limits().max_append_bytes;
    return evidence.wants(Kind::append) && evidence.code() == EINVAL && most != 0 && evidence.request().bytes > most;
}
Explanation explain_append_too_long(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const uint64_t most = evidence.limits().max_append_bytes;
    Explanation explanation{
        fmt::format("an append may have at most {}", format_size(most)),
        {fmt::format("The command appends {}. Use several appends, or writes.", format_size(request.bytes))}};
    name_repair(evidence, explanation, {write_repair(evidence, request.offset / evidence.limits().zone_size, most)});
    return explanation;
}

bool is_read_only(Evidence& evidence) {
    const bool refused = evidence.code() == EBADF || evidence.code() == EPERM || evidence.code() == EACCES;
    return evidence.zoned() && refused && evidence.session().backend().flags().read_only;
}
Explanation explain_read_only(Evidence& evidence) {
    return {"the device is open read-only",
            {"Writing and changing zones require write access."},
            evidence.session().backend().check_reopen_writable().ok() ? "reopen -w" : ""};
}

// --- states of zones ------------------------------------------------------------------------------------------------

bool is_conventional(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    return part != nullptr && part->zone.type == ZoneType::conventional && is_zone_request(evidence);
}
Explanation explain_conventional(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    const ZoneTally& tally = evidence.holders().tally;
    Explanation explanation{fmt::format("zone {} is conventional: it has neither a write pointer nor a state", part.number),
                            {"Conventional zones take writes anywhere, like a disk without zones. They cannot be opened, closed, "
                             "finished, reset or appended to."}};
    const FailedRequest& request = evidence.request();
    if (evidence.wants(Kind::append)) {
        const ZoneRepair write{{Kind::write, {}, request.offset, request.bytes, {}},
                               fmt::format("write {} {}", zone_address(evidence.limits(), request.offset), exact_size(request.bytes))};
        name_repair(evidence, explanation, {write});
    } else if (evidence.wants(Kind::manage) && tally.conventional < tally.zones) {
        name_repair(evidence, explanation,
                    {management_repair(evidence, request.op, tally.conventional, tally.zones - tally.conventional)});
    }
    return explanation;
}

bool is_given_up(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    const bool lost = part != nullptr && part->zone.state == ZoneState::offline;
    const bool no_writes = part != nullptr && part->zone.state == ZoneState::read_only;
    return evidence.may_be_zone_rule() && (lost || (no_writes && !evidence.wants(Kind::read)));
}
Explanation explain_given_up(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    const bool offline = part.zone.state == ZoneState::offline;
    Explanation explanation{offline ? fmt::format("zone {} is offline: reads and writes fail", part.number)
                                    : fmt::format("zone {} is read-only: writes fail", part.number),
                            {"A device puts a zone into this state when its medium fails. The state is permanent."}};
    std::optional<ZoneRepair> elsewhere;
    if (evidence.writes() && evidence.holders().empty) {
        elsewhere = write_repair(evidence, *evidence.holders().empty, part.bytes);
    }
    const ZoneRepair back = state_repair(evidence, part.number);
    name_repair(evidence, explanation, {back, elsewhere});
    if (explanation.repair == back.command) {
        explanation.more.emplace_back("This zone is emulated: zone_state takes it back empty. Its data is lost.");
    }
    return explanation;
}

bool is_full(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    return evidence.writes() && evidence.may_be_zone_rule() && part != nullptr && part->zone.state == ZoneState::full;
}
Explanation explain_full(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    Explanation explanation{fmt::format("zone {} is full: it takes no more writes", part.number),
                            {fmt::format("'{}' empties it; its data is lost.", management_command(ZoneOp::reset, part.number))}};
    if (const std::optional<uint64_t> empty = evidence.holders().empty) {
        name_repair(evidence, explanation, {write_repair(evidence, *empty, part.bytes)});
    }
    if (!explanation.repair.empty()) {
        explanation.more.push_back(fmt::format("zone {} is empty and can take the write.", *evidence.holders().empty));
        return explanation;
    }
    name_repair(evidence, explanation, {management_repair(evidence, ZoneOp::reset, part.number)}, write_from_start(evidence, part));
    return explanation;
}

bool is_pointer_missed(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    return evidence.wants(Kind::write) && evidence.may_be_zone_rule() && part != nullptr && has_write_pointer(part->zone) &&
           part->zone.type == ZoneType::sequential_required && part->offset != part->zone.write_pointer;
}
Explanation explain_pointer_missed(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    const Limits& limits = evidence.limits();
    Explanation explanation{fmt::format("zone {} takes writes at its write pointer {} only, not at {}", part.number,
                                        zone_address(limits, part.zone.write_pointer), zone_address(limits, part.offset)),
                            {describe(evidence, part),
                             "A sequential zone is written from its start to its end without gaps. A reset empties it."}};
    name_repair(evidence, explanation, {write_repair(evidence, part.number, part.bytes)});
    if (part.offset != evidence.request().offset) {
        explanation.more.push_back(fmt::format("The write started in zone {} and was split at the start of zone {}.",
                                               evidence.request().offset / limits.zone_size, part.number));
    }
    return explanation;
}

bool is_too_much(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    return evidence.writes() && evidence.may_be_zone_rule() && part != nullptr && has_write_pointer(part->zone) &&
           part->bytes > part->zone.start + part->zone.capacity - std::min(part->zone.write_pointer, part->zone.start + part->zone.capacity);
}
Explanation explain_too_much(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    const uint64_t room = part.zone.start + part.zone.capacity - part.zone.write_pointer;
    Explanation explanation{fmt::format("zone {} has {} left, the request needs {}", part.number, format_size(room), format_size(part.bytes)),
                            {describe(evidence, part)}};
    name_repair(evidence, explanation, {write_repair(evidence, part.number, room)});
    if (part.zone.capacity < part.zone.length) {
        explanation.more.push_back(fmt::format("Only the first {1} of its {0} can be written: its capacity.",
                                               format_size(part.zone.length), format_size(part.zone.capacity)));
    }
    return explanation;
}

// --- limits ---------------------------------------------------------------------------------------------------------

/// True if the request would make one more zone open or active. Devices that split requests report a limit as EIO, too.
bool takes_a_place(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    const bool opens = evidence.writes() || (evidence.wants(Kind::manage) && (evidence.request().op == ZoneOp::open ||
                                                                              evidence.request().op == ZoneOp::finish));
    return opens && part != nullptr && (part->zone.type != ZoneType::conventional);
}

void tell_holders(Evidence& evidence, Explanation& explanation) {
    const ZoneHolders& holders = evidence.holders();
    const auto tell = [&](std::string_view what, const ZoneNumbers& zones) {
        if (zones.count() > 0) {
            explanation.more.push_back(fmt::format("{}: {}", what, zones.text()));
        }
    };
    tell("explicitly open", holders.explicitly);
    tell("implicitly open", holders.implicit);
    tell("closed", holders.closed);
}

/// Suggests a command that makes room for the whole request, or for its part that failed.
void name_room(Evidence& evidence, Explanation& explanation) {
    const ZoneHolders& holders = evidence.holders();
    const auto on = [&](ZoneOp op, std::optional<uint64_t> zone) {
        const std::string note = op == ZoneOp::finish ? "keeps its data, takes no more writes" : "";
        return zone ? std::optional(management_repair(evidence, op, *zone, 1, note)) : std::nullopt;
    };
    const auto first = [](const ZoneNumbers& zones) { return zones.count() > 0 ? std::optional(zones.first()) : std::nullopt; };
    const FailedRequest after = evidence.wants(Kind::write) ? request_in_zone(evidence, *evidence.part()) : whole_request(evidence);
    name_repair(evidence, explanation,
                {on(ZoneOp::close, first(holders.explicitly)), on(ZoneOp::close, first(holders.implicit)),
                 on(ZoneOp::close, holders.unwritten_open), on(ZoneOp::finish, holders.fullest_closed),
                 on(ZoneOp::finish, holders.fullest_open)},
                after);
}

bool is_active_limit(Evidence& evidence) {
    if (!takes_a_place(evidence) || (evidence.code() != EOVERFLOW && evidence.code() != EIO)) {
        return false;
    }
    const bool is_inactive = !is_active(evidence.part()->zone.state);
    return evidence.is_active_limit_reached() && (is_inactive || evidence.code() == EOVERFLOW);
}
Explanation explain_active_limit(Evidence& evidence) {
    const ZoneHolders& holders = evidence.holders();
    Explanation explanation{fmt::format("active-zone limit reached ({})", holders.tally.active()),
                            {"Open and closed zones are active: the device holds resources for them. Empty and full zones are "
                             "not."}};
    tell_holders(evidence, explanation);
    name_room(evidence, explanation);
    return explanation;
}

bool is_open_limit(Evidence& evidence) {
    if (!takes_a_place(evidence) || (evidence.code() != ETOOMANYREFS && evidence.code() != EIO)) {
        return false;
    }
    const bool is_not_open = !is_open(evidence.part()->zone.state);
    return evidence.is_open_limit_reached() && (is_not_open || evidence.code() == ETOOMANYREFS);
}
Explanation explain_open_limit(Evidence& evidence) {
    const ZoneHolders& holders = evidence.holders();
    Explanation explanation{fmt::format("open-zone limit reached ({})", holders.tally.open())};
    tell_holders(evidence, explanation);
    explanation.more.emplace_back("The device makes room by closing an implicitly open zone, never an explicitly open one.");
    if (holders.implicit.count() > 0 && evidence.is_active_limit_reached()) {
        explanation.more.emplace_back("It closes none now, because the active-zone limit is reached as well.");
    }
    name_room(evidence, explanation);
    return explanation;
}

// --- management -----------------------------------------------------------------------------------------------------

bool is_against_rule(Evidence& evidence) {
    const ZonePart* const part = evidence.part();
    return evidence.wants(Kind::manage) && part != nullptr && !rule_against(evidence.request().op, part->zone).empty();
}
Explanation explain_against_rule(Evidence& evidence) {
    const ZonePart& part = *evidence.part();
    const ZoneOp op = evidence.request().op;
    Explanation explanation{fmt::format("zone {}: {}", part.number, rule_against(op, part.zone)), {describe(evidence, part)}};
    if (op == ZoneOp::open) {
        name_repair(evidence, explanation, {management_repair(evidence, ZoneOp::reset, part.number, 1, "its data is lost")},
                    request_in_zone(evidence, part));
    } else if (op == ZoneOp::close) {
        explanation.more.emplace_back("Only open zones can be closed.");
        explanation.repair = "zone_list --state open";
    }
    if (evidence.request().bytes > part.zone.length) {
        explanation.more.emplace_back("Every zone of the range was tried. zone_apply reports each zone that refuses, and selects zones by "
                                      "state.");
    }
    return explanation;
}

bool is_no_emulation(Evidence& evidence) {
    return evidence.wants(Kind::state) && evidence.code() == ENOTSUP;
}
Explanation explain_no_emulation(Evidence& /*evidence*/) {
    return {"only an emulated device (driver=zoned) can set the state of zones",
            {"Real devices do this themselves when the medium fails."}};
}

// --- what is left ---------------------------------------------------------------------------------------------------

bool is_zone_as_it_should_be(Evidence& evidence) {
    return evidence.may_be_zone_rule() && evidence.part() != nullptr;
}

/// True if a rule refused the command and the command would succeed now.
bool may_be_repeated(const Evidence& evidence) {
    const bool was_refused = evidence.is(Cause::zone_rule) || evidence.is(Cause::open_limit) || evidence.is(Cause::active_limit);
    const Command* const command = evidence.failure().command;
    return was_refused && command != nullptr && command->name != "zone_apply" && would_work(evidence, whole_request(evidence));
}

Explanation explain_zone_now(Evidence& evidence) {
    return {fmt::format("{}: {}", Status::from_errno(evidence.code()).message(),
                        "the zone as it is now would accept the request"),
            {describe(evidence, *evidence.part()),
             "Either the zone has changed since, or the device itself failed: see the kernel's log (dmesg)."},
            may_be_repeated(evidence) ? evidence.failure().line : ""};
}

constexpr CauseRow zones_table[] = {
    {"not-zoned", is_not_zoned, explain_not_zoned},
    {"not-emulated", is_no_emulation, explain_no_emulation},
    {"outside-device", is_outside, explain_outside},
    {"offset-inside-zone", is_offset_inside_zone, explain_offset_inside_zone},
    {"length-not-zones", is_length_no_zones, explain_length_no_zones},
    {"open-read-only", is_read_only, explain_read_only},
    {"conventional-zone", is_conventional, explain_conventional},
    {"append-misaligned", is_append_misaligned, explain_append_misaligned},
    {"append-too-long", is_append_too_long, explain_append_too_long},
    {"zone-out-of-use", is_given_up, explain_given_up},
    {"zone-full", is_full, explain_full},
    {"not-at-write-pointer", is_pointer_missed, explain_pointer_missed},
    {"zone-lacks-room", is_too_much, explain_too_much},
    {"wrong-condition", is_against_rule, explain_against_rule},
    {active_limit_cause, is_active_limit, explain_active_limit},
    {open_limit_cause, is_open_limit, explain_open_limit},
    {"nothing-wrong", is_zone_as_it_should_be, explain_zone_now},
};

} // namespace

std::span<const CauseRow> zone_causes() {
    return zones_table;
}

} // namespace zoneio
