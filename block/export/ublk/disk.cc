// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/disk.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fmt/format.h>

namespace zoneio {

using ublk::Op;
using ublk::sector_bytes;

namespace {

/// Longest discard or zero write, in bytes, if the image has no limit.
constexpr uint64_t most_range_bytes = INT32_MAX / sector_bytes * sector_bytes;
/// Linux supports no logical blocks larger than a page.
constexpr uint32_t largest_block = 4096;

ServedKind kind_of(Op op) {
    switch (op) {
    case Op::read: return ServedKind::read;
    case Op::write: return ServedKind::write;
    case Op::flush: return ServedKind::flush;
    case Op::discard: return ServedKind::discard;
    case Op::write_zeroes: return ServedKind::write_zeroes;
    case Op::zone_append: return ServedKind::append;
    case Op::report_zones: return ServedKind::report;
    case Op::zone_open:
    case Op::zone_close:
    case Op::zone_finish:
    case Op::zone_reset:
    case Op::zone_reset_all: return ServedKind::manage;
    }
    return ServedKind::other;
}

uint8_t shift_of(uint64_t power_of_two) {
    return static_cast<uint8_t>(std::countr_zero(power_of_two));
}

/// `limit` is in bytes; 0: no limit.
uint32_t sectors_of(uint64_t limit) {
    return static_cast<uint32_t>((limit == 0 ? most_range_bytes : std::min(limit, most_range_bytes)) / sector_bytes);
}

/// Errors with a status of their own in Linux, and with the same meaning for its callers. Others, such as EAGAIN, would
/// cause a retry or be misunderstood.
int error_for_kernel(int code) {
    switch (code) {
    case ENOTSUP:
    case ENOSPC:
    case ETOOMANYREFS:
    case EOVERFLOW:
    case ETIMEDOUT:
    case ENODATA:
    case EILSEQ:
    case EREMOTEIO:
    case ENOLINK: return code;
    default: return EIO;
    }
}

} // namespace

UblkDisk::UblkDisk(BackendPort& port, bool read_only, ServedCounters& counters)
    : port_(port), read_only_(read_only), counters_(counters) {}

Status UblkDisk::check() const {
    const uint64_t zone_size = port_.limits().zone_size;
    if (is_zoned() && !std::has_single_bit(zone_size)) {
        return Status::invalid(fmt::format("zones of {} bytes: Linux takes zone sizes only that are powers of two",
                                           zone_size))
            .because(Cause::ublk_zone_size, {.limit = zone_size});
    }
    if (block_size() > largest_block) {
        return Status::invalid(fmt::format("blocks of {} bytes: Linux takes no larger ones than {}", block_size(),
                                           largest_block))
            .because(Cause::ublk_block_size, {.limit = block_size()});
    }
    return {};
}

/// For a zoned device, the kernel uses the logical block as the unit of writes to zones.
uint32_t UblkDisk::block_size() const {
    const Limits& limits = port_.limits();
    const uint32_t writes = is_zoned() ? limits.write_granularity : 1;
    return std::bit_ceil(std::max({limits.request_alignment, writes, static_cast<uint32_t>(sector_bytes)}));
}

uint64_t UblkDisk::shown_bytes() {
    const zoneio::Result<uint64_t> length = port_.length();
    const uint64_t unit = is_zoned() ? port_.limits().zone_size : block_size();
    return length.ok() ? *length / unit * unit : 0;
}

uint64_t UblkDisk::hidden_bytes() {
    const zoneio::Result<uint64_t> length = port_.length();
    return length.ok() ? *length - shown_bytes() : 0;
}

uint64_t UblkDisk::max_append_bytes() const {
    const Limits& limits = port_.limits();
    const uint64_t device = limits.max_append_bytes == 0 ? limits.zone_size : limits.max_append_bytes;
    return std::min({device, limits.zone_size, uint64_t{max_request_bytes}});
}

void UblkDisk::add_zones(ublk::Parameters& parameters) const {
    const Limits& limits = port_.limits();
    parameters.types |= ublk::has_zones;
    parameters.chunk_sectors = static_cast<uint32_t>(limits.zone_size / sector_bytes);
    parameters.max_open_zones = limits.max_open_zones;
    parameters.max_active_zones = limits.max_active_zones;
    parameters.max_append_sectors = static_cast<uint32_t>(max_append_bytes() / sector_bytes);
}

void UblkDisk::add_discard(ublk::Parameters& parameters) const {
    const Limits& limits = port_.limits();
    parameters.types |= ublk::has_discard;
    parameters.discard_granularity = std::max(limits.discard_alignment, block_size());
    parameters.max_write_zeroes_sectors = sectors_of(limits.max_zeroes);
    // A zoned device frees space by resets.
    if (port_.flags().unmap && !is_zoned()) {
        parameters.max_discard_sectors = sectors_of(limits.max_discard);
        parameters.max_discard_segments = 1;
    }
}

zoneio::Result<ublk::Parameters> UblkDisk::parameters() {
    ublk::Parameters parameters{};
    parameters.length = sizeof(parameters);
    parameters.types = ublk::has_basic;
    parameters.attributes = port_.writethrough() ? 0 : ublk::volatile_cache | ublk::forced_writes;
    parameters.logical_block_shift = parameters.physical_block_shift = shift_of(block_size());
    parameters.minimal_io_shift = parameters.optimal_io_shift = shift_of(block_size());
    parameters.max_sectors = max_request_bytes / sector_bytes;
    parameters.device_sectors = shown_bytes() / sector_bytes;
    if (parameters.device_sectors == 0) {
        return Status::invalid(is_zoned() ? "the device has no whole zone" : "the image is empty");
    }
    if (is_zoned()) {
        add_zones(parameters);
    }
    if (read_only_) {
        parameters.attributes |= ublk::read_only;
    } else {
        add_discard(parameters);
    }
    return parameters;
}

void UblkDisk::use(const ublk::Parameters& parameters) {
    shown_bytes_ = parameters.device_sectors * sector_bytes;
    forces_writes_ = (parameters.attributes & ublk::volatile_cache) == 0;
}

void UblkDisk::understand(UblkRequest& request, const ublk::Descriptor& descriptor) {
    Request& to_gate = request.request;
    to_gate.status = {};
    to_gate.done = false;
    to_gate.flags = {};
    to_gate.iov = {};
    to_gate.bytes = 0;
    to_gate.buffers = 1;
    request.zone.reset();
    request.begin_pointer.reset();
    request.is_answered_at_once = false;
    request.position = 0;
    request.error = 0;
    request.bytes = 0;
    request.op = static_cast<Op>(descriptor.op_flags & ublk::op_mask);
    request.kind = kind_of(request.op);
    to_gate.offset = descriptor.start_sector * sector_bytes;
    const bool changes = request.kind != ServedKind::read && request.kind != ServedKind::flush && request.kind != ServedKind::report;
    if (read_only_ && changes) {
        request.error = EIO;
        return;
    }
    prepare(request, descriptor);
    request.zone = moved_zone(request);
}

void UblkDisk::prepare(UblkRequest& request, const ublk::Descriptor& descriptor) {
    switch (request.kind) {
    case ServedKind::read:
    case ServedKind::write:
    case ServedKind::append:
    case ServedKind::discard:
    case ServedKind::write_zeroes: prepare_range(request, descriptor); break;
    case ServedKind::flush: request.request.op = RequestOp::flush; break;
    case ServedKind::report: prepare_report(request, descriptor.sectors); break;
    case ServedKind::manage: prepare_management(request); break;
    case ServedKind::other: request.error = ENOTSUP; break;
    }
}

void UblkDisk::prepare_range(UblkRequest& request, const ublk::Descriptor& descriptor) {
    Request& to_gate = request.request;
    to_gate.bytes = request.bytes = descriptor.sectors * sector_bytes;
    to_gate.flags.fua = request.kind != ServedKind::read && request.kind != ServedKind::discard &&
                        (forces_writes_ || (descriptor.op_flags & ublk::flag_fua) != 0);
    switch (request.kind) {
    case ServedKind::read: to_gate.op = RequestOp::read; break;
    case ServedKind::append: to_gate.op = RequestOp::zone_append; break;
    case ServedKind::discard: to_gate.op = RequestOp::discard; return;
    case ServedKind::write_zeroes:
        to_gate.op = RequestOp::write_zeroes;
        to_gate.flags.may_unmap = port_.flags().unmap && !is_zoned() && (descriptor.op_flags & ublk::flag_no_unmap) == 0;
        return;
    default: to_gate.op = RequestOp::write; break;
    }
    if (to_gate.bytes == 0 || to_gate.bytes > max_request_bytes) {
        request.error = EIO;
        return;
    }
    to_gate.iov = IoVec(request.data, to_gate.bytes);
}

void UblkDisk::perform(UblkRequest& request, bool alone) {
    const bool goes_on = request.error == 0 && !request.is_answered_at_once;
    request.is_answered_at_once = !goes_on || port_.submit(request.request, alone);
}

int UblkDisk::error_of(const UblkRequest& request) {
    const Status& status = request.request.status;
    if (request.error != 0 || status.ok()) {
        return request.error;
    }
    // Closing a zone without data makes it empty; a second close then has no zone to close.
    if (request.is_repeated && request.op == Op::zone_close) {
        const std::optional<ZoneDescriptor> zone = port_.zone_at(request.request.offset);
        if (zone && zone->state == ZoneState::empty) {
            return 0;
        }
    }
    return error_for_kernel(status.code());
}

UblkDisk::Result UblkDisk::finish(UblkRequest& request) {
    Request& done = request.request;
    const int error = error_of(request);
    counters_.add(request.kind, request.bytes, error == 0);
    done.visit = nullptr;
    if (error != 0) {
        return {-error, 0};
    }
    switch (request.kind) {
    case ServedKind::append: {
        const uint64_t at = done.op == RequestOp::zone_append ? done.offset : request.position;
        return {0, at / sector_bytes};
    }
    case ServedKind::read:
    case ServedKind::write: return {static_cast<int32_t>(request.bytes), 0};
    case ServedKind::report: return {max_request_bytes, 0}; // the kernel sets the length to the space it has
    default: return {0, 0};
    }
}

} // namespace zoneio
