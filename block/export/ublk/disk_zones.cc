// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reports and management of zones for the kernel, and what is left of repeated requests.
#include "block/export/ublk/disk.h"

#include "block/base/buffer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace zoneio {

using ublk::Op;
using ublk::sector_bytes;

namespace {

/// The image's own pointer, also of zones that are full or conventional and need none: null_blk shows the same.
uint64_t pointer_sector(const ZoneDescriptor& zone) {
    return zone.write_pointer == no_write_pointer ? UINT64_MAX : zone.write_pointer / sector_bytes;
}

ublk::ReportedZone reported(const ZoneDescriptor& zone) {
    ublk::ReportedZone shown{};
    shown.start = zone.start / sector_bytes;
    shown.length = zone.length / sector_bytes;
    shown.capacity = zone.capacity / sector_bytes;
    shown.write_pointer = pointer_sector(zone);
    shown.type = static_cast<uint8_t>(zone.type);
    shown.condition = static_cast<uint8_t>(zone.state);
    return shown;
}

} // namespace

void UblkDisk::begin() {
    if (!is_zoned()) {
        return;
    }
    sequential_.clear();
    (void)port_.zones_now([this](const ZoneDescriptor& zone) { sequential_.push_back(zone.type != ZoneType::conventional); });
}

void UblkDisk::prepare_report(UblkRequest& request, uint32_t most_zones) {
    Request& to_gate = request.request;
    to_gate.op = RequestOp::zone_report;
    if (!is_zoned() || to_gate.offset >= shown_bytes_) {
        request.error = EIO;
        return;
    }
    // The report starts with the zone that the sector is in. The kernel asks again and again if it gets no zone.
    to_gate.offset -= to_gate.offset % port_.limits().zone_size;
    const uint64_t room = max_request_bytes / sizeof(ublk::ReportedZone);
    const uint64_t left = (shown_bytes_ - to_gate.offset) / port_.limits().zone_size;
    to_gate.zone_count = std::min({uint64_t{most_zones}, room, left});
    request.report.clear();
    to_gate.visit = [&request](const ZoneDescriptor& zone) { request.report.push_back(reported(zone)); };
}

/// Of a reset of all zones. Conventional ones are passed over in a reset of the whole image only, and a zone that the kernel
/// does not know is left alone.
uint64_t UblkDisk::begin_of_reset() {
    if (hidden_bytes() == 0) {
        return 0;
    }
    const auto first = std::find(sequential_.begin(), sequential_.end(), true);
    return static_cast<uint64_t>(first - sequential_.begin()) * port_.limits().zone_size;
}

void UblkDisk::prepare_management(UblkRequest& request) {
    Request& to_gate = request.request;
    const uint64_t zone_size = port_.limits().zone_size;
    const bool all = request.op == Op::zone_reset_all;
    to_gate.op = RequestOp::zone_manage;
    to_gate.offset = all ? begin_of_reset() : to_gate.offset;
    if (!is_zoned() || to_gate.offset % zone_size != 0 || to_gate.offset >= shown_bytes_) {
        request.error = EIO;
        return;
    }
    to_gate.bytes = all ? shown_bytes_ - to_gate.offset : zone_size;
    switch (request.op) {
    case Op::zone_open: to_gate.zone_op = ZoneOp::open; break;
    case Op::zone_close: to_gate.zone_op = ZoneOp::close; break;
    case Op::zone_finish: to_gate.zone_op = ZoneOp::finish; break;
    default: to_gate.zone_op = ZoneOp::reset; break;
    }
}

std::optional<uint64_t> UblkDisk::moved_zone(const UblkRequest& request) const {
    const bool is_write = request.has_data() || request.kind == ServedKind::write_zeroes;
    if (!is_write || request.error != 0 || !is_zoned()) {
        return std::nullopt;
    }
    const uint64_t number = request.request.offset / port_.limits().zone_size;
    const bool has_pointer = number < sequential_.size() && sequential_[number];
    return has_pointer ? std::optional(number * port_.limits().zone_size) : std::nullopt;
}

void UblkDisk::skip_done(UblkRequest& request) {
    if (!request.zone) {
        return;
    }
    const uint64_t done = zoneio::skip_done(port_, request, *request.zone, [&](uint64_t from, std::span<const uint8_t> stored) {
        return request.has_data() ? memcmp(request.data + from, stored.data(), stored.size()) == 0
                                  : all_bytes_equal(stored.data(), stored.size(), 0);
    });
    if (done > 0 && request.request.op == RequestOp::write) {
        request.request.iov = IoVec(request.data + done, request.request.bytes);
    }
}

} // namespace zoneio
