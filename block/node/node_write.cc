// SPDX-License-Identifier: GPL-3.0-or-later
//
// Writes of data and zeros, and discards.
#include "block/node/node.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

namespace {

/// Longest write, and largest buffer, with which zeros are written as data.
constexpr uint64_t zero_request_bytes = 16U << 20;
constexpr size_t zero_buffer_bytes = 64U << 10;

/// A buffer of zeros. Nothing writes to it; it is not const because an iovec is not.
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

/// The largest multiple of `alignment` within a limit; 0: no limit.
uint64_t aligned_limit(uint64_t limit, uint64_t alignment) {
    return limit == 0 ? UINT64_MAX / alignment * alignment : std::max(limit / alignment * alignment, alignment);
}

/// True if the image is on a server and ends before `end`: writes there fail with ENOSPC.
bool ends_on_server_before(BlockNode& node, uint64_t end) {
    if (BlockNode* const child = node.driver().child()) {
        if (node.info().name != "raw") {
            return false;
        }
        const Result<uint64_t> own = node.length();
        const Result<uint64_t> below = child->length();
        const bool has_window = !own.ok() || !below.ok() || *own != *below;
        return !has_window && ends_on_server_before(*child, end);
    }
    const Result<uint64_t> length = node.driver().length();
    return node.extras().remote_queue != nullptr && length.ok() && *length < end;
}

} // namespace

Status BlockNode::pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    trace_bdrv_co_pwritev_part(driver_.get(), offset, iov.bytes(), flags.bits());
    if (iov.bytes() == 0 && !flags.compressed && (!has_events_ || offset % limits().request_alignment != 0)) {
        return {};
    }
    if (!needs_tracking()) {
        return write_aligned(offset, iov, flags);
    }
    const Padding pad = padding(offset, iov.bytes());
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, pad.needed());
    return pad.needed() ? write_padded(iov, pad, flags) : write_aligned(offset, iov, flags);
}

/// EIO if padding would make the image grow, which requires its own permission. The length was checked when permissions
/// were taken, but other programs may have shortened the image since.
Status BlockNode::check_padding(const Padding& pad) {
    if (pad.tail == 0 || !may_only_write(permissions_)) {
        return {};
    }
    return pad.end > TRY(length()) ? Status::from_errno(EIO) : Status();
}

/// Reads the partial blocks at the ends of a write, with one read if they are the same or neighbours.
///
/// If the last block reaches past the end of an image on a server, its content is optional: its write fails with ENOSPC,
/// which says more than the error of the read. As in QEMU, the whole blocks before it are written.
Status BlockNode::read_edges(const Padding& pad, Edges& edges) {
    TRY(check_padding(pad));
    const uint64_t alignment = limits().request_alignment;
    const uint64_t total = pad.end - pad.begin;
    TRY(edges.memory.allocate(2 * alignment, std::max<size_t>(limits().memory_alignment, 1)));
    edges.merged = total == alignment || (total == 2 * alignment && pad.head != 0 && pad.tail != 0);
    edges.first = edges.memory.data();
    edges.last = edges.first + (edges.merged ? total - alignment : alignment);
    const bool with_first = pad.head != 0;
    const bool tail_in_first = edges.merged && pad.tail != 0;
    if (with_first || edges.merged) {
        if (with_first) {
            raise(DebugEvent::pwritev_rmw_head);
        }
        if (tail_in_first) {
            raise(DebugEvent::pwritev_rmw_tail);
        }
        Status status = read_aligned(pad.begin, IoVec(edges.first, edges.merged ? total : alignment));
        // Neighbours that are written in two requests are no exception: the first would be written without its content.
        const bool is_refused = edges.merged && total <= transfer_limit() && ends_on_server_before(*this, pad.end);
        if (!status.ok() && !is_refused) {
            return status;
        }
        if (with_first) {
            raise(DebugEvent::pwritev_rmw_after_head);
        }
        if (tail_in_first) {
            raise(DebugEvent::pwritev_rmw_after_tail);
        }
    }
    if (pad.tail != 0 && !edges.merged) {
        raise(DebugEvent::pwritev_rmw_tail);
        Status status = read_aligned(pad.end - alignment, IoVec(edges.last, alignment));
        if (!status.ok() && !ends_on_server_before(*this, pad.end)) {
            return status;
        }
        raise(DebugEvent::pwritev_rmw_after_tail);
    }
    return {};
}

/// Writes whole blocks around a request that covers its first or last block only in part.
Status BlockNode::write_padded(const IoVec& iov, const Padding& pad, WriteFlags flags) {
    Edges edges;
    TRY(read_edges(pad, edges));
    IoVec padded;
    if (pad.head != 0) {
        padded.push_back(edges.first, pad.head);
    }
    padded.append(iov, 0, iov.bytes());
    if (pad.tail != 0) {
        padded.push_back(edges.last + limits().request_alignment - pad.tail, pad.tail);
    }
    return write_aligned(pad.begin, padded, flags);
}

Status BlockNode::write_aligned(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    if (flags_.detect_zeroes != DetectZeroes::off && driver_->traits().writes_zeroes && iov.is_zero()) {
        flags.may_unmap = flags_.detect_zeroes == DetectZeroes::unmap;
        return zero_aligned(offset, iov.bytes(), flags);
    }
    Status status;
    if (flags.compressed) {
        VmState* const clusters = driver_->extras().vm_state;
        status = clusters != nullptr ? clusters->pwritev_compressed(offset, iov) : Status::from_errno(ENOTSUP);
    } else {
        raise(DebugEvent::pwritev);
        status = write_split(offset, iov, flags);
    }
    raise(DebugEvent::pwritev_done);
    mark_written();
    const Traits& traits = driver_->traits();
    const bool flushes = flags.fua && !traits.passes_fua && !(flags_.no_flush && traits.owns_flush);
    return status.ok() && flushes ? flush() : std::move(status);
}

Status BlockNode::write_split(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    flags.fua = flags.fua && !flags_.no_flush;
    const uint64_t limit = transfer_limit();
    if (iov.bytes() <= limit) {
        return driver_->pwritev(offset, iov, flags);
    }
    WriteFlags part_flags = flags;
    part_flags.fua = flags.fua && driver_->traits().has_fua;
    for (uint64_t done = 0; done < iov.bytes(); done += limit) {
        const bool last = iov.bytes() - done <= limit;
        TRY(driver_->pwritev(offset + done, iov.slice(done, std::min(limit, iov.bytes() - done)),
                             last ? flags : part_flags));
    }
    return {};
}

Status BlockNode::pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    trace_bdrv_co_pwritev_part(driver_.get(), offset, bytes, flags.bits() | WriteFlags::zero_write_bit);
    if (flags.no_fallback && (offset | bytes) % limits().request_alignment != 0) {
        // The partial blocks at the ends could only be written as data.
        return Status::from_errno(ENOTSUP);
    }
    if (bytes == 0) {
        return {};
    }
    flags.may_unmap = flags.may_unmap && flags_.unmap;
    if (!needs_tracking()) {
        return zero_aligned(offset, bytes, flags);
    }
    const Padding pad = padding(offset, bytes);
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, pad.needed());
    return pad.needed() ? zero_padded(offset, bytes, pad, flags) : zero_aligned(offset, bytes, flags);
}

/// Rewrites the partial blocks at the ends; the driver zeros the whole blocks between them.
Status BlockNode::zero_padded(uint64_t offset, uint64_t bytes, const Padding& pad, WriteFlags flags) {
    const uint64_t alignment = limits().request_alignment;
    Edges edges;
    TRY(read_edges(pad, edges));
    if (edges.merged) {
        memset(edges.first + pad.head, 0, bytes);
        return write_aligned(pad.begin, IoVec(edges.first, pad.end - pad.begin), flags);
    }
    uint64_t middle_begin = offset;
    if (pad.head != 0) {
        memset(edges.first + pad.head, 0, alignment - pad.head);
        TRY(write_aligned(pad.begin, IoVec(edges.first, alignment), flags));
        middle_begin = pad.begin + alignment;
    }
    const uint64_t middle_end = pad.tail != 0 ? pad.end - alignment : pad.end;
    if (middle_begin < middle_end) {
        TRY(zero_aligned(middle_begin, middle_end - middle_begin, flags));
    }
    if (pad.tail == 0) {
        return {};
    }
    memset(edges.last, 0, alignment - pad.tail);
    return write_aligned(middle_end, IoVec(edges.last, alignment), flags);
}

Status BlockNode::zero_aligned(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    raise(DebugEvent::pwritev_zero);
    // As in QEMU, a node with a child flushes before the write counts as done; events show the order.
    const bool flushes_first = driver_->traits().passes_fua;
    bool zeroed = false;
    Status status = zero_in_parts(offset, bytes, flags, zeroed);
    if (!flushes_first) {
        mark_written();
    }
    if (status.ok() && flags.fua && !flags_.no_flush && !driver_->traits().has_fua && (zeroed || !flushes_first)) {
        status = flush();
    }
    raise(DebugEvent::pwritev_done);
    if (flushes_first) {
        mark_written();
    }
    return status;
}

/// Lets the driver write zeros in parts of a size that it accepts, and writes the rest as data. `zeroed`: set if the
/// driver wrote any.
Status BlockNode::zero_in_parts(uint64_t offset, uint64_t bytes, WriteFlags flags, bool& zeroed) {
    const uint64_t alignment = std::max(limits().zeroes_alignment, limits().request_alignment);
    const uint64_t limit = aligned_limit(limits().max_zeroes, alignment);
    const uint64_t written_limit = std::min(zero_request_bytes, transfer_limit());
    WriteFlags driver_flags = flags;
    driver_flags.fua = flags.fua && driver_->traits().has_fua; // with cache.no-flush, too, as QEMU does
    while (bytes > 0) {
        // Whole units of the driver in the middle; the parts before and after them are separate requests.
        const uint64_t head = offset % alignment;
        const uint64_t tail = (offset + bytes) % alignment;
        uint64_t part = std::min(bytes, limit);
        if (head != 0) {
            part = std::min({bytes, written_limit, alignment - head});
        } else if (tail != 0 && bytes > alignment) {
            part = std::min(bytes - tail, limit);
        }
        Status status = driver_->pwrite_zeroes(offset, part, driver_flags);
        if (status.code() == ENOTSUP && !flags.no_fallback) {
            // Without alignment and length limits, the driver would refuse every other part too.
            part = limits().zeroes_alignment == 0 && limits().max_zeroes == 0 ? bytes : std::min(part, written_limit);
            status = zero_by_writing(offset, part, flags);
        } else if (status.code() != ENOTSUP) {
            zeroed = true;
        }
        TRY(std::move(status));
        offset += part;
        bytes -= part;
    }
    return {};
}

Status BlockNode::zero_by_writing(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    const uint64_t limit = std::min(zero_request_bytes, transfer_limit());
    WriteFlags data_flags;
    data_flags.fua = flags.fua && !flags_.no_flush;
    while (bytes > 0) {
        const uint64_t part = std::min(bytes, limit);
        TRY(driver_->pwritev(offset, zero_iov(part), data_flags));
        offset += part;
        bytes -= part;
    }
    return {};
}

Status BlockNode::pdiscard(uint64_t offset, uint64_t bytes) {
    if (!flags_.unmap) {
        return {};
    }
    if (bytes == 0) {
        // QEMU flushes after an empty discard, too.
        mark_written();
        return {};
    }
    std::optional<RequestTracker::Ticket> ticket;
    if (needs_tracking()) {
        ticket.emplace(tracker_, offset, offset + bytes, false);
    }
    const uint64_t unit = std::max<uint64_t>(limits().discard_alignment, limits().request_alignment);
    const bool whole = limits().max_discard == 0 && offset % unit == 0 && bytes % unit == 0;
    Status status = whole ? driver_->pdiscard(offset, bytes) : discard_in_parts(offset, bytes);
    mark_written();
    return status.code() == ENOTSUP ? Status() : std::move(status);
}

/// Discards whole units of the driver. The driver may skip or refuse the parts before and after them.
Status BlockNode::discard_in_parts(uint64_t offset, uint64_t bytes) {
    const uint64_t block = limits().request_alignment;
    const uint64_t alignment = std::max<uint64_t>(limits().discard_alignment, block);
    const uint64_t limit = aligned_limit(limits().max_discard, alignment);
    while (bytes > 0) {
        const uint64_t head = offset % alignment;
        const uint64_t tail = (offset + bytes) % alignment;
        uint64_t part = bytes;
        if (head != 0) {
            // Up to the next unit, or up to the next block if the range does not start at a block.
            part = std::min(bytes, alignment - head);
            part = part % block != 0 ? part % block : part;
        } else if (tail != 0 && bytes > alignment) {
            part = bytes - tail;
        } else if (tail % block != 0 && tail > block) {
            part = bytes - tail % block;
        }
        part = std::min(part, limit);
        Status status = driver_->pdiscard(offset, part);
        const bool is_partial = offset % alignment != 0 || part % alignment != 0;
        if (!status.ok() && status.code() != ENOTSUP && !(status.code() == EINVAL && is_partial)) {
            return status;
        }
        offset += part;
        bytes -= part;
    }
    return {};
}

} // namespace zoneio
