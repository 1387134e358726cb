// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/virtio_blk.h"

#include "block/export/vhost/segments.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace zoneio {

using virtio_blk::Answer;
using virtio_blk::sector_bytes;
using virtio_blk::Type;

namespace {

/// Most segments of a request: a ring of 128 without header and status.
constexpr uint32_t seg_max = 126;
constexpr uint32_t range_unmap = 1;
/// In bytes, the same as in QEMU's block layer.
constexpr uint64_t largest_request = INT32_MAX / sector_bytes * sector_bytes;

/// Minimum number of bytes after the data in the writable memory.
size_t tail_bytes(Type type) {
    return type == Type::zone_append ? sizeof(uint64_t) + 1 : 1;
}

ServedKind kind_of(Type type) {
    switch (type) {
    case Type::in: return ServedKind::read;
    case Type::out: return ServedKind::write;
    case Type::flush: return ServedKind::flush;
    case Type::discard: return ServedKind::discard;
    case Type::write_zeroes: return ServedKind::write_zeroes;
    case Type::zone_append: return ServedKind::append;
    case Type::zone_report: return ServedKind::report;
    case Type::zone_open:
    case Type::zone_close:
    case Type::zone_finish:
    case Type::zone_reset:
    case Type::zone_reset_all: return ServedKind::manage;
    case Type::get_id: break;
    }
    return ServedKind::other;
}

bool is_zone_command(Type type) {
    return kind_of(type) == ServedKind::append || kind_of(type) == ServedKind::report || kind_of(type) == ServedKind::manage;
}

bool changes_image(ServedKind kind) {
    return kind == ServedKind::write || kind == ServedKind::discard || kind == ServedKind::write_zeroes ||
           kind == ServedKind::append || kind == ServedKind::manage;
}

/// Converts to sectors, limited to 32 bits. `limit` is in bytes; 0: no limit.
uint32_t sectors_of(uint64_t limit) {
    const uint64_t bytes = limit == 0 ? largest_request : std::min<uint64_t>(limit, largest_request);
    return static_cast<uint32_t>(bytes / sector_bytes);
}

} // namespace

VirtioBlk::VirtioBlk(BackendPort& port, Settings settings, ServedCounters& counters)
    : port_(port), settings_(std::move(settings)), counters_(counters), writeback_(!port.writethrough()) {}

void VirtioBlk::reset() {
    accepted_ = 0;
    writeback_ = !port_.writethrough();
}

uint64_t VirtioBlk::features() const {
    using namespace virtio_blk;
    uint64_t offered =
        f_seg_max | f_blk_size | f_flush | f_topology | f_config_wce | f_mq;
    if (settings_.read_only) {
        offered |= f_ro;
    } else {
        offered |= f_write_zeroes;
        // A zoned device frees space by resets.
        offered |= port_.flags().unmap && !is_zoned() ? f_discard : 0;
    }
    return offered | (is_zoned() ? f_zoned : 0);
}

/// The append limit; if the device has none, an append must still fit into a zone.
uint64_t VirtioBlk::max_append_bytes() const {
    const Limits& limits = port_.limits();
    const uint64_t device = limits.max_append_bytes == 0 ? limits.zone_size : limits.max_append_bytes;
    return std::min(device, largest_request);
}

uint32_t VirtioBlk::block_size() const {
    return std::max<uint32_t>(port_.limits().request_alignment, sector_bytes);
}

uint32_t VirtioBlk::write_granularity() const {
    return std::max(port_.limits().write_granularity, block_size());
}

virtio_blk::Config VirtioBlk::config() {
    const Limits& limits = port_.limits();
    virtio_blk::Config config{};
    const Result<uint64_t> length = port_.length();
    config.capacity = length.ok() ? *length / sector_bytes : 0;
    config.seg_max = seg_max;
    config.blk_size = block_size();
    const uint32_t physical_blocks = is_zoned() ? write_granularity() / block_size() : 1;
    config.physical_block_exp = static_cast<uint8_t>(std::countr_zero(physical_blocks));
    config.min_io_size = static_cast<uint16_t>(physical_blocks);
    config.writeback = writeback_ ? 1 : 0;
    config.num_queues = settings_.queues;
    config.max_discard_sectors = sectors_of(limits.max_discard);
    config.max_discard_seg = 1;
    config.discard_sector_alignment = static_cast<uint32_t>(std::max(limits.discard_alignment, config.blk_size) / sector_bytes);
    config.max_write_zeroes_sectors = sectors_of(limits.max_zeroes);
    config.max_write_zeroes_seg = 1;
    config.write_zeroes_may_unmap = port_.flags().unmap && !is_zoned() ? 1 : 0;
    if (is_zoned()) {
        config.zone_sectors = static_cast<uint32_t>(limits.zone_size / sector_bytes);
        config.max_open_zones = limits.max_open_zones;
        config.max_active_zones = limits.max_active_zones;
        config.max_append_sectors = static_cast<uint32_t>(max_append_bytes() / sector_bytes);
        config.write_granularity = write_granularity();
        config.zone_model = limits.zoned == ZonedModel::host_managed ? 1 : 2;
    }
    return config;
}

bool VirtioBlk::write_config(uint32_t offset, std::span<const uint8_t> bytes) {
    if (offset != offsetof(virtio_blk::Config, writeback) || bytes.size() != 1 || bytes[0] > 1) {
        return false;
    }
    writeback_ = bytes[0] == 1;
    return true;
}

/// True if writes must be on the medium before they are answered (virtio 1.3, 5.2.6.2).
bool VirtioBlk::forces_writes() const {
    return has(virtio_blk::f_config_wce) ? !writeback_ : !has(virtio_blk::f_flush);
}

void VirtioBlk::understand(VirtioBlkRequest& request) {
    request.request.status = {};
    request.request.done = false;
    request.request.flags = {};
    request.request.offset = request.request.bytes = 0;
    request.request.iov = {};
    request.request.buffers = 1;
    request.zone.reset();
    request.begin_pointer.reset();
    request.position = 0;
    request.is_answered_at_once = false;
    request.answer = prepare(request);
    trace_start(request);
}

void VirtioBlk::perform(VirtioBlkRequest& request, bool alone) {
    const bool goes_on = request.answer == Answer::ok && request.kind != ServedKind::other && !request.is_answered_at_once;
    request.is_answered_at_once = !goes_on || port_.submit(request.request, alone);
}

Answer VirtioBlk::prepare(VirtioBlkRequest& request) {
    const VringChain& chain = request.chain;
    virtio_blk::Header header{};
    request.kind = ServedKind::other;
    request.type = Type::get_id;
    if (chain.readable_bytes < sizeof(header) || chain.writable_bytes < 1) {
        return Answer::io_error;
    }
    copy_in(chain.readable, 0, &header, sizeof(header));
    request.type = static_cast<Type>(header.type);
    request.kind = kind_of(request.type);
    if (chain.writable_bytes < tail_bytes(request.type) || header.sector > UINT64_MAX / sector_bytes) {
        return Answer::io_error;
    }
    if (is_zone_command(request.type) && !takes_zones()) {
        return Answer::unsupported;
    }
    if (changes_image(request.kind) && settings_.read_only) {
        return Answer::io_error;
    }
    switch (request.type) {
    case Type::in:
    case Type::out: return prepare_data(request, header.sector);
    case Type::flush: request.request.op = RequestOp::flush; return Answer::ok;
    case Type::discard:
    case Type::write_zeroes: return prepare_range(request);
    case Type::get_id: return copy_id(request);
    case Type::zone_append: return prepare_append(request, header.sector);
    case Type::zone_report: return prepare_report(request, header.sector);
    case Type::zone_open:
    case Type::zone_close:
    case Type::zone_finish:
    case Type::zone_reset:
    case Type::zone_reset_all: return prepare_management(request, header.sector);
    }
    return Answer::unsupported;
}

Answer VirtioBlk::prepare_data(VirtioBlkRequest& request, uint64_t sector) {
    const bool is_read = request.type == Type::in;
    const VringChain& chain = request.chain;
    Request& to_gate = request.request;
    to_gate.op = is_read ? RequestOp::read : RequestOp::write;
    to_gate.offset = sector * sector_bytes;
    to_gate.bytes = is_read ? chain.writable_bytes - 1 : chain.readable_bytes - sizeof(virtio_blk::Header);
    if (to_gate.bytes % sector_bytes != 0 || to_gate.bytes > largest_request) {
        return Answer::io_error;
    }
    to_gate.iov = is_read ? part_of(chain.writable, 0, to_gate.bytes)
                          : part_of(chain.readable, sizeof(virtio_blk::Header), to_gate.bytes);
    if (is_read) {
        return takes_zones() && crosses_zones(to_gate.offset, to_gate.bytes) ? Answer::zone_invalid_command : Answer::ok;
    }
    return prepare_write(request);
}

Answer VirtioBlk::prepare_write(VirtioBlkRequest& request) {
    Request& to_gate = request.request;
    to_gate.flags.fua = forces_writes();
    if (!takes_zones()) {
        return Answer::ok;
    }
    const uint32_t granularity = write_granularity();
    if (to_gate.offset % granularity != 0 || to_gate.bytes % granularity != 0) {
        return Answer::zone_unaligned_write_pointer;
    }
    return crosses_zones(to_gate.offset, to_gate.bytes) ? Answer::zone_invalid_command : Answer::ok;
}

/// Prepares a discard or write zeroes with one range, the limit in the configuration.
Answer VirtioBlk::prepare_range(VirtioBlkRequest& request) {
    virtio_blk::Range range{};
    Request& to_gate = request.request;
    const bool is_discard = request.type == Type::discard;
    if (request.chain.readable_bytes != sizeof(virtio_blk::Header) + sizeof(range)) {
        return Answer::io_error;
    }
    copy_in(request.chain.readable, sizeof(virtio_blk::Header), &range, sizeof(range));
    if ((range.flags & ~range_unmap) != 0 || (is_discard && range.flags != 0)) {
        return Answer::unsupported;
    }
    const uint64_t bytes = range.sectors * sector_bytes;
    if (range.sector > UINT64_MAX / sector_bytes || bytes > largest_request) {
        return Answer::io_error;
    }
    to_gate.op = is_discard ? RequestOp::discard : RequestOp::write_zeroes;
    to_gate.offset = range.sector * sector_bytes;
    to_gate.bytes = bytes;
    to_gate.flags.may_unmap = (range.flags & range_unmap) != 0;
    to_gate.flags.fua = !is_discard && forces_writes();
    const bool splits = takes_zones() && !is_discard && crosses_zones(to_gate.offset, bytes);
    return splits ? Answer::zone_invalid_command : Answer::ok;
}

Answer VirtioBlk::copy_id(VirtioBlkRequest& request) {
    char id[virtio_blk::id_bytes] = {};
    settings_.serial.copy(id, sizeof(id));
    copy_out(request.chain.writable, 0, id, std::min<uint64_t>(sizeof(id), request.chain.writable_bytes - 1));
    return Answer::ok;
}

uint32_t VirtioBlk::finish(VirtioBlkRequest& request) {
    VringChain& chain = request.chain;
    Request& done = request.request;
    if (request.answer == Answer::ok) {
        request.answer = answer_for(request);
    }
    const bool ok = request.answer == Answer::ok;
    counters_.add(request.kind, request.kind == ServedKind::manage ? 0 : done.bytes, ok);
    trace_virtio_blk_req_complete(this, &request, static_cast<unsigned>(request.answer));
    done.visit = nullptr;
    if (chain.writable_bytes == 0) {
        return 0; // there is no space for an answer
    }
    uint64_t written = 1;
    if (ok && request.type == Type::zone_report) {
        const virtio_blk::ReportHeader header{request.report.size(), {}};
        const size_t zones = request.report.size() * sizeof(virtio_blk::ReportedZone);
        copy_out(chain.writable, 0, &header, sizeof(header));
        copy_out(chain.writable, sizeof(header), request.report.data(), zones);
    } else if (ok && request.type == Type::zone_append) {
        const uint64_t at = done.op == RequestOp::zone_append ? done.offset : request.position;
        const uint64_t sector = at / sector_bytes;
        // The status is the last byte. In Linux, padding precedes it.
        copy_out(chain.writable, 0, &sector, sizeof(sector));
    }
    if (ok) {
        written = chain.writable_bytes;
    }
    const auto answer = static_cast<uint8_t>(request.answer);
    const iovec& last = chain.writable.back();
    static_cast<uint8_t*>(last.iov_base)[last.iov_len - 1] = answer;
    return static_cast<uint32_t>(std::min<uint64_t>(written, UINT32_MAX));
}

void VirtioBlk::trace_start(const VirtioBlkRequest& request) const {
    const uint64_t sector = request.request.offset / sector_bytes;
    const uint64_t sectors = request.request.bytes / sector_bytes;
    switch (request.kind) {
    case ServedKind::read: trace_virtio_blk_handle_read(this, &request, sector, sectors); break;
    case ServedKind::write: trace_virtio_blk_handle_write(this, &request, sector, sectors); break;
    case ServedKind::append: trace_virtio_blk_handle_zone_append(this, &request, sector); break;
    case ServedKind::report:
        trace_virtio_blk_handle_zone_report(this, &request, sector, request.request.zone_count);
        break;
    case ServedKind::manage:
        trace_virtio_blk_handle_zone_mgmt(this, &request, static_cast<unsigned>(request.type), sector, sectors);
        break;
    case ServedKind::flush:
    case ServedKind::discard:
    case ServedKind::write_zeroes:
    case ServedKind::other:
        trace_virtio_blk_handle_other(this, &request, static_cast<unsigned>(request.type), sector, sectors);
        break;
    }
}

} // namespace zoneio
