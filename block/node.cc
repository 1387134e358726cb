// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node.h"

#include "block/size.h"
#include "block/trace.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr uint64_t sector_size = 512;
constexpr unsigned changing_permissions = Permissions::write | Permissions::resize;

/// Requests that zeros are written with, where the driver has no better way, and how much memory they use.
constexpr uint64_t zero_request_bytes = 16U << 20;
constexpr size_t zero_buffer_bytes = 64U << 10;

/// Zeros to write from; never written to, but an iovec has no const.
uint8_t* zero_buffer() {
    alignas(AlignedBuffer::default_alignment) static uint8_t zeros[zero_buffer_bytes];
    return zeros;
}

IoVec zero_iov(uint64_t bytes) {
    IoVec iov;
    while (bytes > 0) {
        const auto part = static_cast<size_t>(std::min<uint64_t>(bytes, zero_buffer_bytes));
        iov.push_back(zero_buffer(), part);
        bytes -= part;
    }
    return iov;
}

uint64_t align_down(uint64_t value, uint64_t alignment) {
    return value - value % alignment;
}

uint64_t align_up(uint64_t value, uint64_t alignment) {
    return align_down(value + alignment - 1, alignment);
}

Status out_of_memory() {
    return Status::from_errno(ENOMEM);
}

} // namespace

RequestTracker::Ticket::Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive,
                               std::unique_lock<std::mutex>& lock)
    : tracker_(tracker), begin_(begin), end_(end), exclusive_(exclusive) {
    lock = std::unique_lock(tracker_.mutex_);
    position_ = tracker_.in_flight_.insert(tracker_.in_flight_.end(), this);
}

RequestTracker::Ticket::Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive)
    : tracker_(tracker), begin_(begin), end_(end), exclusive_(exclusive) {
    std::unique_lock lock(tracker_.mutex_);
    position_ = tracker_.in_flight_.insert(tracker_.in_flight_.end(), this);
    tracker_.released_.wait(lock, [this] { return !must_wait(); });
}

std::unique_ptr<RequestTracker::Ticket> RequestTracker::Ticket::without_waiting(RequestTracker& tracker, uint64_t begin,
                                                                                uint64_t end) {
    std::unique_lock<std::mutex> lock;
    std::unique_ptr<Ticket> ticket(new Ticket(tracker, begin, end, false, lock));
    const bool must_wait = ticket->must_wait();
    lock.unlock();
    return must_wait ? nullptr : std::move(ticket);
}

bool RequestTracker::Ticket::must_wait() const {
    const std::list<Ticket*>::const_iterator own = position_;
    return std::any_of(tracker_.in_flight_.cbegin(), own, [this](const Ticket* earlier) {
        return (exclusive_ || earlier->exclusive_) && earlier->begin_ < end_ && begin_ < earlier->end_;
    });
}

RequestTracker::Ticket::~Ticket() {
    const std::lock_guard lock(tracker_.mutex_);
    tracker_.in_flight_.erase(position_);
    tracker_.released_.notify_all();
}

BlockNode::BlockNode(const DriverInfo& info, std::unique_ptr<BlockDriver> driver, NodeFlags flags, std::string name,
                     std::string filename)
    : info_(info), driver_(std::move(driver)), flags_(flags), name_(std::move(name)), filename_(std::move(filename)) {}

BlockNode::~BlockNode() {
    // Whoever closes an image has no place for an error; `flush` and forced writes are how to see one.
    (void)flush();
}

BlockNode::Padding BlockNode::padding(uint64_t offset, uint64_t bytes) const {
    const uint64_t alignment = limits().request_alignment;
    Padding pad;
    pad.begin = align_down(offset, alignment);
    pad.end = align_up(offset + bytes, alignment);
    pad.head = offset - pad.begin;
    pad.tail = pad.end - offset - bytes;
    return pad;
}

uint64_t BlockNode::transfer_limit() const {
    constexpr uint64_t largest = INT32_MAX;
    const uint64_t limit = limits().max_transfer == 0 ? largest : std::min(limits().max_transfer, largest);
    return std::max<uint64_t>(align_down(limit, limits().request_alignment), limits().request_alignment);
}

Status BlockNode::preadv(uint64_t offset, const IoVec& iov) {
    trace_bdrv_co_preadv_part(driver_.get(), offset, iov.bytes(), 0);
    if (iov.bytes() == 0) {
        return {};
    }
    if (flags_.copy_on_read) {
        if (Status status = driver_->populate(offset, iov.bytes()); !status.ok()) {
            return status;
        }
    }
    if (!needs_tracking()) {
        return read_aligned(offset, iov);
    }
    const Padding pad = padding(offset, iov.bytes());
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, false);
    if (!pad.needed()) {
        return read_aligned(offset, iov);
    }
    AlignedBuffer edges;
    if (!edges.reserve(pad.head + pad.tail, limits().memory_alignment)) {
        return out_of_memory();
    }
    IoVec padded;
    if (pad.head != 0) {
        padded.push_back(edges.data(), pad.head);
    }
    padded.append(iov, 0, iov.bytes());
    if (pad.tail != 0) {
        padded.push_back(edges.data() + pad.head, pad.tail);
    }
    return read_aligned(pad.begin, padded);
}

Status BlockNode::read_aligned(uint64_t offset, const IoVec& iov) {
    const uint64_t limit = transfer_limit();
    if (iov.bytes() <= limit) {
        return driver_->preadv(offset, iov);
    }
    for (uint64_t done = 0; done < iov.bytes(); done += limit) {
        Status status = driver_->preadv(offset + done, iov.slice(done, std::min(limit, iov.bytes() - done)));
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

/// Ends a write: remembers that there is something to flush, and forces it out where that was asked for.
Status BlockNode::finish_write(Status status, WriteFlags flags) {
    mark_written();
    return status.ok() && flags.fua ? flush() : std::move(status);
}

Status BlockNode::pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    trace_bdrv_co_pwritev_part(driver_.get(), offset, iov.bytes(), flags.bits());
    if (iov.bytes() == 0) {
        return {};
    }
    if (!needs_tracking()) {
        return finish_write(write_aligned(offset, iov, flags), flags);
    }
    const Padding pad = padding(offset, iov.bytes());
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, pad.needed());
    if (!pad.needed()) {
        return finish_write(write_aligned(offset, iov, flags), flags);
    }
    return finish_write(write_padded(iov, pad), flags);
}

/// Writes whole blocks around a request that covers only parts of its first and last one.
Status BlockNode::write_padded(const IoVec& iov, const Padding& pad) {
    const uint64_t alignment = limits().request_alignment;
    AlignedBuffer blocks;
    if (!blocks.reserve(2 * alignment, std::max<size_t>(limits().memory_alignment, 1))) {
        return out_of_memory();
    }
    uint8_t* const first = blocks.data();
    uint8_t* last = first + alignment;
    if (pad.head != 0) {
        Status status = driver_->preadv(pad.begin, IoVec(first, alignment));
        if (!status.ok()) {
            return status;
        }
    }
    if (pad.tail != 0) {
        if (pad.head != 0 && pad.end - pad.begin == alignment) {
            last = first;
        } else if (Status status = driver_->preadv(pad.end - alignment, IoVec(last, alignment)); !status.ok()) {
            return status;
        }
    }
    IoVec padded;
    if (pad.head != 0) {
        padded.push_back(first, pad.head);
    }
    padded.append(iov, 0, iov.bytes());
    if (pad.tail != 0) {
        padded.push_back(last + alignment - pad.tail, pad.tail);
    }
    return write_split(pad.begin, padded);
}

Status BlockNode::write_aligned(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    if (flags_.detect_zeroes != DetectZeroes::off && driver_->can_write_zeroes() && iov.is_zero()) {
        flags.may_unmap = flags_.detect_zeroes == DetectZeroes::unmap;
        return zero_aligned(offset, iov.bytes(), flags);
    }
    return write_split(offset, iov);
}

Status BlockNode::write_split(uint64_t offset, const IoVec& iov) {
    const uint64_t limit = transfer_limit();
    if (iov.bytes() <= limit) {
        return driver_->pwritev(offset, iov, {});
    }
    for (uint64_t done = 0; done < iov.bytes(); done += limit) {
        Status status = driver_->pwritev(offset + done, iov.slice(done, std::min(limit, iov.bytes() - done)), {});
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Status BlockNode::pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    trace_bdrv_co_pwritev_part(driver_.get(), offset, bytes, flags.bits() | WriteFlags::zero_write_bit);
    if (flags.no_fallback && (offset | bytes) % limits().request_alignment != 0) {
        // The partial blocks at the ends could only be written.
        return Status::from_errno(ENOTSUP);
    }
    if (bytes == 0) {
        return {};
    }
    flags.may_unmap = flags.may_unmap && flags_.unmap;
    if (!needs_tracking()) {
        return finish_write(zero_aligned(offset, bytes, flags), flags);
    }
    const Padding pad = padding(offset, bytes);
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, pad.needed());
    const uint64_t alignment = limits().request_alignment;
    const uint64_t end = offset + bytes;
    const uint64_t middle_begin = std::min(align_up(offset, alignment), end);
    const uint64_t middle_end = std::max(align_down(end, alignment), middle_begin);

    // Partial blocks at the ends are rewritten, whole ones in between zeroed by the driver.
    const auto zero_part = [&](uint64_t from, uint64_t to) {
        return from == to ? Status() : write_padded(zero_iov(to - from), padding(from, to - from));
    };
    Status status = zero_part(offset, middle_begin);
    if (status.ok() && middle_begin < middle_end) {
        status = zero_aligned(middle_begin, middle_end - middle_begin, flags);
    }
    if (status.ok()) {
        status = zero_part(middle_end, end);
    }
    return finish_write(std::move(status), flags);
}

Status BlockNode::zero_aligned(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    flags.fua = false;
    Status status = driver_->pwrite_zeroes(offset, bytes, flags);
    return status.code() == ENOTSUP && !flags.no_fallback ? zero_by_writing(offset, bytes) : std::move(status);
}

Status BlockNode::zero_by_writing(uint64_t offset, uint64_t bytes) {
    const uint64_t limit = std::min(zero_request_bytes, transfer_limit());
    while (bytes > 0) {
        const uint64_t part = std::min(bytes, limit);
        Status status = driver_->pwritev(offset, zero_iov(part), {});
        if (!status.ok()) {
            return status;
        }
        offset += part;
        bytes -= part;
    }
    return {};
}

Status BlockNode::pdiscard(uint64_t offset, uint64_t bytes) {
    if (bytes == 0 || !flags_.unmap) {
        return {};
    }
    std::optional<RequestTracker::Ticket> ticket;
    if (needs_tracking()) {
        ticket.emplace(tracker_, offset, offset + bytes, false);
    }
    Status status = driver_->pdiscard(offset, bytes);
    mark_written();
    return status.code() == ENOTSUP ? Status() : std::move(status);
}

Status BlockNode::flush() {
    const uint64_t writes = writes_.load(std::memory_order_acquire);
    if (flags_.no_flush || writes == flushed_.load(std::memory_order_acquire)) {
        return {};
    }
    Status status = driver_->flush();
    if (status.ok()) {
        flushed_.store(writes, std::memory_order_release);
    }
    return status;
}

Status BlockNode::truncate(uint64_t size, PreallocMode mode) {
    if (size > static_cast<uint64_t>(max_image_length)) {
        return Status::error(EFBIG, fmt::format("offset({}) exceeds maximum({})", size, max_image_length));
    }
    Status status = driver_->truncate(size, mode);
    if (status.ok()) {
        mark_written();
    }
    return status;
}

Result<BlockExtent> BlockNode::block_status(uint64_t offset, uint64_t bytes, bool want_zero) {
    const Result<uint64_t> end = length();
    if (!end.ok()) {
        return end.status();
    }
    if (offset >= *end) {
        return BlockExtent{};
    }
    return driver_->block_status(offset, std::min(bytes, *end - offset), want_zero);
}

Result<uint64_t> BlockNode::length() {
    Result<uint64_t> length = driver_->length();
    if (length.ok()) {
        *length = align_up(*length, sector_size);
    }
    return length;
}

Result<uint64_t> BlockNode::zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    return driver_->zone_report(offset, count, visit);
}

Status BlockNode::zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
    Status status = driver_->zone_mgmt(op, offset, bytes);
    mark_written();
    return status;
}

Result<uint64_t> BlockNode::zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    Result<uint64_t> position = driver_->zone_append(offset, iov, flags);
    mark_written();
    if (position.ok() && flags.fua) {
        if (Status status = flush(); !status.ok()) {
            return status;
        }
    }
    return position;
}

Status BlockNode::set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) {
    Status status = driver_->set_zone_condition(offset, bytes, state);
    mark_written();
    return status;
}

std::optional<FdIo> BlockNode::native_io(Request& request, uint64_t offset) {
    const bool moves_data = request.op == RequestOp::read || request.op == RequestOp::write;
    if (moves_data && (padding(offset, request.bytes).needed() || request.bytes > transfer_limit())) {
        return std::nullopt;
    }
    if (request.op == RequestOp::write && flags_.detect_zeroes != DetectZeroes::off) {
        return std::nullopt;
    }
    if (moves_data && needs_tracking()) {
        auto ticket = RequestTracker::Ticket::without_waiting(tracker_, offset, offset + request.bytes);
        if (ticket == nullptr) {
            return std::nullopt;
        }
        request.holds.push_back(std::move(ticket));
    }
    std::optional<FdIo> io = driver_->native_io(request, offset);
    if (io) {
        if (request.op == RequestOp::read) {
            trace_bdrv_co_preadv_part(driver_.get(), offset, request.bytes, 0);
        } else if (request.op == RequestOp::write) {
            trace_bdrv_co_pwritev_part(driver_.get(), offset, request.bytes, request.flags.bits());
        }
        io->sync_after = io->sync_after && !flags_.no_flush;
    }
    return io;
}

void BlockNode::note_native_write() {
    mark_written();
    if (BlockNode* const below = driver_->child()) {
        below->note_native_write();
    }
}

void BlockNode::note_sync_error(int error) {
    driver_->note_sync_error(error);
    if (BlockNode* const below = driver_->child()) {
        below->note_sync_error(error);
    }
}

Status BlockNode::check_whole_blocks(const Permissions& permissions) {
    const bool only_write = (permissions.taken & changing_permissions) == Permissions::write;
    const Result<uint64_t> bytes = length();
    if (only_write && bytes.ok() && *bytes % limits().request_alignment != 0) {
        return Status::error(EINVAL, "Cannot get 'write' permission without 'resize': "
                                     "Image size is not a multiple of request alignment");
    }
    return {};
}

Status BlockNode::set_permissions(const Permissions& permissions) {
    if ((permissions.taken & changing_permissions) != 0 && flags_.read_only) {
        return Status::error(EPERM, "Block node is read-only");
    }
    Status status = check_whole_blocks(permissions);
    if (status.ok()) {
        status = driver_->set_permissions(permissions);
    }
    if (status.ok()) {
        permissions_ = permissions;
    }
    return status;
}

} // namespace zoneio
