// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads through a node, and its block status: both are widened to whole blocks of the driver.
#include "block/node/node.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

namespace {

/// Most bytes that copy-on-read copies at a time.
constexpr uint64_t copy_bytes = 16U << 20;

} // namespace

Status BlockNode::preadv(uint64_t offset, const IoVec& iov) {
    trace_bdrv_co_preadv_part(driver_.get(), offset, iov.bytes(), 0);
    // QEMU passes empty requests to the driver, so breakpoints and events see them.
    if (iov.bytes() == 0 && (!has_events_ || offset % limits().request_alignment != 0)) {
        return {};
    }
    if (iov.bytes() == 0 && flags_.copy_on_read) {
        return {};
    }
    if (!needs_tracking()) {
        return read_aligned(offset, iov);
    }
    const Padding pad = padding(offset, iov.bytes());
    const RequestTracker::Ticket ticket(tracker_, pad.begin, pad.end, flags_.copy_on_read);
    const auto read = flags_.copy_on_read ? &BlockNode::read_copying : &BlockNode::read_aligned;
    if (!pad.needed()) {
        return (this->*read)(offset, iov);
    }
    AlignedBuffer edges;
    TRY(edges.allocate(pad.head + pad.tail, limits().memory_alignment));
    IoVec padded;
    if (pad.head != 0) {
        padded.push_back(edges.data(), pad.head);
    }
    padded.append(iov, 0, iov.bytes());
    if (pad.tail != 0) {
        padded.push_back(edges.data() + pad.head, pad.tail);
    }
    return (this->*read)(pad.begin, padded);
}

Status BlockNode::read_aligned(uint64_t offset, const IoVec& iov) {
    const uint64_t limit = transfer_limit();
    if (iov.bytes() <= limit) {
        return driver_->preadv(offset, iov);
    }
    for (uint64_t done = 0; done < iov.bytes(); done += limit) {
        TRY(driver_->preadv(offset + done, iov.slice(done, std::min(limit, iov.bytes() - done))));
    }
    return {};
}

/// Reads, after copying what the driver does not have from the node below into the driver.
Status BlockNode::read_copying(uint64_t offset, const IoVec& iov) {
    VmState* const clusters = driver_->extras().vm_state;
    const bool copied = TRY(clusters != nullptr ? clusters->populate(offset, iov.bytes()) : Result<bool>(false));
    if (copied || limits().zoned != ZonedModel::none) {
        return read_aligned(offset, iov);
    }
    for (uint64_t done = 0; done < iov.bytes();) {
        const BlockExtent extent = TRY(block_status(offset + done, iov.bytes() - done, false));
        const bool is_copied = extent.bytes > 0 && !extent.allocated();
        const uint64_t limit = is_copied ? std::min(copy_bytes, transfer_limit()) : UINT64_MAX;
        const uint64_t part = std::min(extent.bytes > 0 ? extent.bytes : iov.bytes() - done, limit);
        const IoVec slice = iov.slice(done, part);
        TRY(is_copied ? copy_part(offset + done, slice) : read_aligned(offset + done, slice));
        done += part;
    }
    return {};
}

Status BlockNode::copy_part(uint64_t offset, const IoVec& iov) {
    AlignedBuffer buffer;
    TRY(buffer.allocate(iov.bytes(), limits().memory_alignment));
    // A driver may leave the memory unchanged.
    memset(buffer.data(), 0, iov.bytes());
    const IoVec content(buffer.data(), iov.bytes());
    TRY(driver_->preadv(offset, content));
    raise(DebugEvent::cor_write);
    bool zeroed = false;
    TRY(content.is_zero() ? zero_in_parts(offset, iov.bytes(), {}, zeroed) : write_split(offset, content, {}));
    iov.copy_from(buffer.data());
    return {};
}

Result<BlockExtent> BlockNode::block_status(uint64_t offset, uint64_t bytes, bool want_zero) {
    const uint64_t end = TRY(length());
    if (offset >= end) {
        return BlockExtent{};
    }
    bytes = std::min(bytes, end - offset);
    const Padding pad = padding(offset, bytes);
    Result<BlockExtent> extent = driver_->block_status(pad.begin, pad.end - pad.begin, want_zero);
    if (!extent.ok() || extent->bytes == 0) {
        return extent;
    }
    if (extent->bytes <= pad.head) {
        return driver_->block_status(offset, bytes, want_zero);
    }
    extent->bytes = std::min(extent->bytes - pad.head, bytes);
    return extent;
}

} // namespace zoneio
