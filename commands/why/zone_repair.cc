// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/zone_repair.h"

#include "commands/arguments.h"

#include <algorithm>

namespace zoneio {

namespace {

using Kind = FailedRequest::Kind;

Status try_on(ZoneTrial& trial, const FailedRequest& request) {
    switch (request.kind) {
    case Kind::write: return trial.write(request.offset, request.bytes);
    case Kind::append: return trial.append(request.offset, request.bytes);
    case Kind::manage: return trial.manage(request.op, request.offset, request.bytes);
    case Kind::state: return trial.set_state(request.offset, request.bytes, ZoneState::empty);
    default: return Status::from_errno(ENOTSUP);
    }
}

bool helps(const Evidence& evidence, const FailedRequest& repair, const std::optional<FailedRequest>& after) {
    const std::unique_ptr<ZoneTrial> trial = evidence.trial();
    return trial != nullptr && try_on(*trial, repair).ok() && (!after || try_on(*trial, *after).ok());
}

/// A request for consecutive zones, the last of which may be shorter.
FailedRequest zones_request(const Evidence& evidence, Kind kind, ZoneOp op, uint64_t zone, uint64_t count) {
    const uint64_t begin = zone * evidence.limits().zone_size;
    const uint64_t length = evidence.length();
    const uint64_t end = std::min((zone + count) * evidence.limits().zone_size, length);
    return {kind, op, begin, std::max(begin, end) - begin, {}};
}

} // namespace

std::string management_command(ZoneOp op, uint64_t zone, uint64_t count) {
    return fmt::format("zone_{} {}z {}z", zone_op_name(op), zone, count);
}

ZoneRepair management_repair(const Evidence& evidence, ZoneOp op, uint64_t zone, uint64_t count, std::string note) {
    return {zones_request(evidence, Kind::manage, op, zone, count), management_command(op, zone, count), std::move(note)};
}

ZoneRepair state_repair(const Evidence& evidence, uint64_t zone) {
    return {zones_request(evidence, Kind::state, {}, zone, 1), fmt::format("zone_state {}z 1z empty", zone)};
}

std::optional<ZoneRepair> write_repair(const Evidence& evidence, uint64_t zone, uint64_t bytes) {
    const std::unique_ptr<ZoneTrial> trial = evidence.trial();
    if (trial == nullptr || zone >= trial->zone_count()) {
        return std::nullopt;
    }
    const ZoneDescriptor found = trial->describe(zone);
    const uint64_t end = found.start + found.capacity;
    if (found.type == ZoneType::conventional || found.write_pointer == no_write_pointer || found.write_pointer >= end) {
        return std::nullopt;
    }
    const Limits& limits = evidence.limits();
    const bool append = evidence.wants(Kind::append);
    uint64_t most = std::min<uint64_t>(end - found.write_pointer, static_cast<uint64_t>(max_request_bytes));
    if (append && limits.max_append_bytes != 0) {
        most = std::min(most, limits.max_append_bytes);
    }
    const uint64_t block = std::max<uint64_t>({limits.write_granularity, limits.request_alignment, 1});
    const uint64_t length = std::min((bytes + block - 1) / block * block, most / block * block);
    if (length == 0) {
        return std::nullopt;
    }
    const Command* const command = evidence.failure().command;
    const std::string_view name = command != nullptr ? command->name : append ? "zone_append" : "aio_write";
    const uint64_t offset = append ? found.start : found.write_pointer;
    if (name == "load") {
        const std::string& line = evidence.failure().line;
        return ZoneRepair{{evidence.request().kind, {}, offset, length, {}},
                          fmt::format("{} {}z+wp", std::string_view(line).substr(0, line.rfind(' ')), zone)};
    }
    return ZoneRepair{{evidence.request().kind, {}, offset, length, {}},
                      fmt::format("{} {}{}z{} {}", name, append ? "-p " : "", zone, append ? "" : "+wp", exact_size(length))};
}

FailedRequest whole_request(const Evidence& evidence) {
    FailedRequest request = evidence.request();
    request.status = {};
    return request;
}

FailedRequest request_in_zone(const Evidence& evidence, const ZonePart& part) {
    FailedRequest request = whole_request(evidence);
    request.offset = part.offset;
    request.bytes = part.bytes;
    return request;
}

FailedRequest write_from_start(const Evidence& evidence, const ZonePart& part) {
    FailedRequest request = request_in_zone(evidence, part);
    request.offset = part.zone.start;
    request.bytes = std::min(part.bytes, part.zone.capacity);
    return request;
}

void name_repair(const Evidence& evidence, Explanation& explanation, std::initializer_list<std::optional<ZoneRepair>> repairs,
                 const std::optional<FailedRequest>& after) {
    for (const std::optional<ZoneRepair>& repair : repairs) {
        if (repair && helps(evidence, repair->request, after)) {
            explanation.repair = repair->command;
            explanation.note = repair->note;
            return;
        }
    }
}

bool would_work(const Evidence& evidence, const FailedRequest& request) {
    return helps(evidence, request, std::nullopt);
}

} // namespace zoneio
