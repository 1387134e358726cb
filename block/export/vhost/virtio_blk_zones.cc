// SPDX-License-Identifier: GPL-3.0-or-later
//
// Zone commands of the block device, and its answers when a zone refuses a request (virtio 1.3, 5.2.6.2). What is left of
// repeated requests.
#include "block/export/vhost/segments.h"
#include "block/export/vhost/virtio_blk.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

using virtio_blk::Answer;
using virtio_blk::sector_bytes;
using virtio_blk::Type;

namespace {

/// Most zones in a report. Drivers continue from its end with another request.
constexpr uint64_t zones_per_report = 16384;

virtio_blk::ReportedZone reported(const ZoneDescriptor& zone) {
    virtio_blk::ReportedZone shown{};
    shown.capacity = zone.capacity / sector_bytes;
    shown.start = zone.start / sector_bytes;
    shown.write_pointer = zone.write_pointer == no_write_pointer ? UINT64_MAX : zone.write_pointer / sector_bytes;
    shown.type = static_cast<uint8_t>(zone.type);
    shown.state = static_cast<uint8_t>(zone.state);
    return shown;
}

} // namespace

/// True if a range spans several zones, at least one of which is sequential.
bool VirtioBlk::crosses_zones(uint64_t offset, uint64_t bytes) {
    const uint64_t zone_size = port_.limits().zone_size;
    if (bytes == 0 || offset > UINT64_MAX - bytes || offset / zone_size == (offset + bytes - 1) / zone_size) {
        return false;
    }
    for (uint64_t at = offset; at < offset + bytes; at = (at / zone_size + 1) * zone_size) {
        const std::optional<ZoneDescriptor> zone = port_.zone_at(at);
        if (!zone || zone->type != ZoneType::conventional) {
            return true;
        }
    }
    return false;
}

Answer VirtioBlk::prepare_append(VirtioBlkRequest& request, uint64_t sector) {
    Request& to_gate = request.request;
    to_gate.op = RequestOp::zone_append;
    to_gate.offset = sector * sector_bytes;
    to_gate.bytes = request.chain.readable_bytes - sizeof(virtio_blk::Header);
    to_gate.flags.fua = forces_writes();
    if (to_gate.bytes == 0 || to_gate.bytes % sector_bytes != 0) {
        return Answer::io_error;
    }
    if (to_gate.bytes > max_append_bytes() || to_gate.offset % port_.limits().zone_size != 0) {
        return Answer::zone_invalid_command;
    }
    if (to_gate.bytes % write_granularity() != 0) {
        return Answer::zone_unaligned_write_pointer;
    }
    to_gate.iov = part_of(request.chain.readable, sizeof(virtio_blk::Header), to_gate.bytes);
    return Answer::ok;
}

Answer VirtioBlk::prepare_report(VirtioBlkRequest& request, uint64_t sector) {
    Request& to_gate = request.request;
    const uint64_t room = request.chain.writable_bytes - 1;
    if (room < sizeof(virtio_blk::ReportHeader)) {
        return Answer::io_error;
    }
    to_gate.op = RequestOp::zone_report;
    to_gate.offset = sector * sector_bytes;
    const Result<uint64_t> length = port_.length();
    if (!length.ok() || to_gate.offset >= *length) {
        return Answer::zone_invalid_command;
    }
    to_gate.zone_count =
        std::min((room - sizeof(virtio_blk::ReportHeader)) / sizeof(virtio_blk::ReportedZone), zones_per_report);
    request.report.clear();
    to_gate.visit = [&request](const ZoneDescriptor& zone) { request.report.push_back(reported(zone)); };
    return Answer::ok;
}

Answer VirtioBlk::prepare_management(VirtioBlkRequest& request, uint64_t sector) {
    Request& to_gate = request.request;
    const Result<uint64_t> length = port_.length();
    if (!length.ok()) {
        return Answer::io_error;
    }
    const bool all = request.type == Type::zone_reset_all;
    const uint64_t zone_size = port_.limits().zone_size;
    to_gate.op = RequestOp::zone_manage;
    to_gate.offset = all ? 0 : sector * sector_bytes;
    if (to_gate.offset % zone_size != 0 || to_gate.offset >= *length) {
        return Answer::zone_invalid_command;
    }
    to_gate.bytes = all ? *length : std::min(zone_size, *length - to_gate.offset);
    switch (request.type) {
    case Type::zone_open: to_gate.zone_op = ZoneOp::open; break;
    case Type::zone_close: to_gate.zone_op = ZoneOp::close; break;
    case Type::zone_finish: to_gate.zone_op = ZoneOp::finish; break;
    default: to_gate.zone_op = ZoneOp::reset; break;
    }
    return Answer::ok;
}

/// Answer, for a driver that has accepted zones, to a request that the image refused.
Answer VirtioBlk::zone_answer(const VirtioBlkRequest& request, const ZoneDescriptor& zone) const {
    const Request& asked = request.request;
    const bool is_gone = zone.state == ZoneState::offline;
    if (request.kind == ServedKind::read) {
        return is_gone ? Answer::zone_invalid_command : Answer::io_error;
    }
    if (zone.type == ZoneType::conventional) {
        const bool needs_pointer = request.kind == ServedKind::append || request.kind == ServedKind::manage;
        return needs_pointer ? Answer::zone_invalid_command : Answer::io_error;
    }
    if (is_gone || zone.state == ZoneState::read_only) {
        return Answer::zone_invalid_command;
    }
    const bool is_full = zone.state == ZoneState::full;
    if (request.kind == ServedKind::manage) {
        // Closing a zone without data makes it empty, so the close was done already.
        if (request.is_repeated && request.type == Type::zone_close && zone.state == ZoneState::empty) {
            return Answer::ok;
        }
        const bool is_open_or_closed = zone.state != ZoneState::empty && !is_full;
        const bool impossible = (request.type == Type::zone_open && is_full) ||
                                (request.type == Type::zone_close && !is_open_or_closed);
        return impossible ? Answer::zone_invalid_command : Answer::io_error;
    }
    const uint64_t end = zone.start + zone.capacity;
    if (is_full || asked.bytes > end - std::min(zone.write_pointer, end)) {
        return Answer::zone_invalid_command;
    }
    const bool elsewhere = request.kind != ServedKind::append && asked.offset != zone.write_pointer;
    return elsewhere ? Answer::zone_unaligned_write_pointer : Answer::io_error;
}

Answer VirtioBlk::answer_for(const VirtioBlkRequest& request) {
    const Status& status = request.request.status;
    if (status.ok()) {
        return Answer::ok;
    }
    if (status.code() == ENOTSUP) {
        return Answer::unsupported;
    }
    if (!takes_zones()) {
        return Answer::io_error;
    }
    if (status.code() == ETOOMANYREFS) {
        return Answer::zone_open_resource;
    }
    if (status.code() == EOVERFLOW) {
        return Answer::zone_active_resource;
    }
    const bool is_of_one_zone = request.kind != ServedKind::report && request.type != Type::zone_reset_all &&
                                request.kind != ServedKind::flush && request.kind != ServedKind::discard;
    const std::optional<ZoneDescriptor> zone = is_of_one_zone ? port_.zone_at(request.request.offset) : std::nullopt;
    return zone ? zone_answer(request, *zone) : Answer::io_error;
}

std::optional<uint64_t> VirtioBlk::moved_zone(const VirtioBlkRequest& request) {
    const bool is_write = request.kind == ServedKind::write || request.kind == ServedKind::write_zeroes ||
                          request.kind == ServedKind::append;
    if (!is_zoned() || !is_write || request.answer != Answer::ok || !write_pointer(request.request.offset)) {
        return std::nullopt;
    }
    const uint64_t zone_size = port_.limits().zone_size;
    return request.request.offset / zone_size * zone_size;
}

void VirtioBlk::skip_done(VirtioBlkRequest& request) {
    const std::optional<uint64_t> zone = moved_zone(request);
    if (!zone) {
        return;
    }
    std::vector<uint8_t> wanted;
    const uint64_t done = zoneio::skip_done(port_, request, *zone, [&](uint64_t from, std::span<const uint8_t> stored) {
        wanted.assign(stored.size(), 0);
        if (request.kind != ServedKind::write_zeroes) {
            copy_in(request.chain.readable, sizeof(virtio_blk::Header) + from, wanted.data(), wanted.size());
        }
        return memcmp(wanted.data(), stored.data(), stored.size()) == 0;
    });
    if (done > 0 && request.request.op == RequestOp::write) {
        request.request.iov = part_of(request.chain.readable, sizeof(virtio_blk::Header) + done, request.request.bytes);
    }
}

} // namespace zoneio
