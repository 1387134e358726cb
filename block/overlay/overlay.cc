// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads and writes of the temporary overlay; overlay_image.cc has the rest.
#include "block/overlay/overlay.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace zoneio {

namespace {

uint64_t cluster_begin(uint64_t offset) {
    return offset / cluster_bytes * cluster_bytes;
}

uint64_t cluster_end(uint64_t offset) {
    return (offset + cluster_bytes - 1) / cluster_bytes * cluster_bytes;
}

/// Zeros that may become a hole give up the slot of their cluster.
ClusterKind zero_kind(WriteFlags flags) {
    return flags.may_unmap ? ClusterKind::zero : ClusterKind::zero_kept;
}

IoVec part_of(const IoVec& iov, uint64_t offset, uint64_t bytes) {
    return bytes == iov.bytes() ? iov : iov.slice(offset, bytes);
}

} // namespace

IoVec SnapshotOverlay::zeros(uint64_t bytes) {
    alignas(AlignedBuffer::default_alignment) static uint8_t memory[cluster_bytes];
    IoVec iov;
    while (bytes > 0) {
        const uint64_t part = std::min(bytes, cluster_bytes);
        iov.push_back(memory, part);
        bytes -= part;
    }
    return iov;
}

SnapshotOverlay::Span::Span(uint64_t offset, uint64_t bytes)
    : first(offset / cluster_bytes), count(cluster_end(offset + bytes) / cluster_bytes - first) {}

/// Reads from the image below; bytes after its end read as zeros.
Status SnapshotOverlay::read_base(uint64_t offset, const IoVec& iov) {
    const uint64_t length = TRY(base_->length());
    const uint64_t there = std::min(iov.bytes(), length > offset ? length - offset : 0);
    iov.fill(there, iov.bytes() - there, 0);
    return there == 0 ? Status() : base_->preadv(offset, part_of(iov, 0, there));
}

Result<bool> SnapshotOverlay::base_is_zero(uint64_t begin, uint64_t end) {
    while (begin < end) {
        const BlockExtent extent = TRY(base_->block_status(begin, end - begin, true));
        if (extent.bytes == 0) {
            return true;
        }
        if (!extent.zero) {
            return false;
        }
        begin += extent.bytes;
    }
    return true;
}

/// Calls `visit` for each run of clusters in a request, with the run's part of the request: its offset in the image
/// and, as the run's position, in the data file.
template <typename Visit>
Status SnapshotOverlay::for_each_run(uint64_t offset, const IoVec& iov, Visit visit) {
    for (uint64_t done = 0; done < iov.bytes();) {
        const uint64_t position = offset + done;
        const Span span(position, iov.bytes() - done);
        ClusterRun run = TRY(map_->find(span.first, span.count));
        const uint64_t head = position - span.begin();
        const uint64_t part = std::min(iov.bytes() - done, run.count * cluster_bytes - head);
        run.position += head;
        TRY(visit(run, position, part_of(iov, done, part)));
        done += part;
    }
    return {};
}

Status SnapshotOverlay::preadv(uint64_t offset, const IoVec& iov) {
    return for_each_run(offset, iov, [this](const ClusterRun& run, uint64_t position, const IoVec& part) {
        if (run.has_content()) {
            return map_->data().preadv(run.position, part);
        }
        if (run.is_zero()) {
            part.fill(0, part.bytes(), 0);
            return Status();
        }
        return read_base(position, part);
    });
}

/// True if all clusters have content that can be overwritten in place.
Result<bool> SnapshotOverlay::is_in_place(const Span& span) {
    for (uint64_t done = 0; done < span.count;) {
        const ClusterRun run = TRY(map_->find(span.first + done, span.count - done));
        if (run.kind != ClusterKind::data) {
            return false;
        }
        done += run.count;
    }
    return true;
}

Status SnapshotOverlay::pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) {
    const Span span(offset, iov.bytes());
    {
        const RequestTracker::Ticket shared(clusters_, span.begin(), span.end(), false);
        if (TRY(is_in_place(span))) {
            return write_clusters(offset, iov);
        }
    }
    const RequestTracker::Ticket alone(clusters_, span.begin(), span.end(), true);
    return write_clusters(offset, iov);
}

/// Writes clusters that have content, and fills the others. Neighbours are filled together, as in QEMU, whatever they were
/// before: what is around all of them decides about reading, see fill_clusters().
Status SnapshotOverlay::write_clusters(uint64_t offset, const IoVec& iov) {
    uint64_t begin = 0; // of the part to fill, in `iov`
    uint64_t bytes = 0;
    const auto fill = [&] {
        const uint64_t part = std::exchange(bytes, 0);
        return part == 0 ? Status() : fill_clusters(offset + begin, part_of(iov, begin, part), ClusterKind::data);
    };
    TRY(for_each_run(offset, iov, [&](const ClusterRun& run, uint64_t position, const IoVec& part) {
        if (run.kind != ClusterKind::data) {
            begin = bytes == 0 ? position - offset : begin;
            bytes += part.bytes();
            return Status();
        }
        TRY(fill());
        return map_->data().pwritev(run.position, part, {});
    }));
    return fill();
}

/// True if a range reads as zeros for certain, found out without reading. An error if the image below does not say.
Result<bool> SnapshotOverlay::is_known_zero(uint64_t begin, uint64_t end) {
    while (begin < end) {
        const Span span(begin, end - begin);
        const ClusterRun run = TRY(map_->find(span.first, span.count));
        if (run.has_content()) {
            return false;
        }
        const uint64_t run_end = std::min(end, span.begin() + run.count * cluster_bytes);
        if (!run.is_zero()) {
            if (!TRY(base_is_zero(begin, run_end))) {
                return false;
            }
        }
        begin = run_end;
    }
    return true;
}

/// True if what is around a write, up to the ends of its clusters, must be read. QEMU does not read it if both sides are zero,
/// so an unreadable image must not cause an error then. What lies beyond the end of the image is not known to be zero.
Result<bool> SnapshotOverlay::must_read_edges(uint64_t begin, uint64_t position, uint64_t position_end, uint64_t end) {
    const bool is_zero = TRY(is_known_zero(begin, position)) && TRY(is_known_zero(position_end, end));
    return !is_zero || (position_end < end && end > size_.load());
}

/// Gives clusters content: the data written and, around it, up to the ends of the clusters, the old content.
Status SnapshotOverlay::fill_clusters(uint64_t offset, const IoVec& iov, ClusterKind kind) {
    for (uint64_t done = 0; done < iov.bytes();) {
        const uint64_t position = offset + done;
        const Span span(position, iov.bytes() - done);
        const ClusterRun place = TRY(map_->reserve(span.first, span.count));
        const uint64_t begin = span.begin();
        const uint64_t end = begin + place.count * cluster_bytes;
        const uint64_t part = std::min(iov.bytes() - done, end - position);
        const uint64_t head = position - begin;
        const uint64_t tail = end - position - part;
        AlignedBuffer edges;
        TRY(head + tail > 0 ? edges.allocate(head + tail) : Status());
        const bool must_read = TRY(must_read_edges(begin, position, end - tail, end));
        IoVec whole;
        if (head > 0) {
            memset(edges.data(), 0, head);
            whole.push_back(edges.data(), head);
            TRY(must_read ? preadv(begin, IoVec(edges.data(), head)) : Status());
        }
        whole.append(iov, done, part);
        if (tail > 0) {
            memset(edges.data() + head, 0, tail);
            whole.push_back(edges.data() + head, tail);
            TRY(must_read ? preadv(end - tail, IoVec(edges.data() + head, tail)) : Status());
        }
        TRY(map_->data().pwritev(place.position, whole, {}));
        TRY(map_->store(span.first, place.count, kind, place.position));
        done += part;
    }
    return {};
}

Status SnapshotOverlay::pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    const Span span(offset, bytes);
    const RequestTracker::Ticket alone(clusters_, span.begin(), span.end(), true);
    return zero_range(offset, bytes, flags);
}

Status SnapshotOverlay::zero_range(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    const uint64_t end = offset + bytes;
    const uint64_t whole_begin = cluster_end(offset);
    // A last cluster that the end of the image cuts off counts as whole if it is zeroed up to that end.
    const uint64_t whole_end = end == size_.load() ? cluster_end(end) : cluster_begin(end);
    const uint64_t head_end = std::min(whole_begin, end);
    const uint64_t tail_begin = std::max(whole_begin, std::min(whole_end, end));
    if (offset < head_end) {
        TRY(zero_part(offset, head_end - offset, flags));
    }
    if (whole_begin < whole_end) {
        TRY(map_->drop(whole_begin / cluster_bytes, (whole_end - whole_begin) / cluster_bytes, zero_kind(flags)));
    }
    return tail_begin < end ? zero_part(tail_begin, end - tail_begin, flags) : Status();
}

/// Zeros a part of one cluster. If the rest is zero too, the whole cluster becomes zero.
Status SnapshotOverlay::zero_part(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    const uint64_t cluster = offset / cluster_bytes;
    const ClusterRun run = TRY(map_->find(cluster, 1));
    bool rest_is_zero = run.is_zero();
    if (run.kind == ClusterKind::unallocated) {
        const uint64_t cut = std::min((cluster + 1) * cluster_bytes, std::max(size_.load(), offset + bytes));
        for (const auto& [begin, end] : {std::pair(cluster * cluster_bytes, offset), std::pair(offset + bytes, cut)}) {
            rest_is_zero = TRY(base_is_zero(begin, end));
            if (!rest_is_zero) {
                break;
            }
        }
    }
    if (rest_is_zero) {
        return map_->drop(cluster, 1, zero_kind(flags));
    }
    return flags.no_fallback ? Status::from_errno(ENOTSUP) : write_clusters(offset, zeros(bytes));
}

Status SnapshotOverlay::pdiscard(uint64_t offset, uint64_t bytes) {
    const uint64_t end = offset + bytes;
    const uint64_t first = cluster_end(offset) / cluster_bytes;
    const uint64_t last = (end == size_.load() ? cluster_end(end) : cluster_begin(end)) / cluster_bytes;
    if (first >= last) {
        return {};
    }
    const RequestTracker::Ticket alone(clusters_, first * cluster_bytes, last * cluster_bytes, true);
    return map_->drop(first, last - first, ClusterKind::zero);
}

Status SnapshotOverlay::forget(uint64_t offset, uint64_t bytes) {
    const uint64_t first = cluster_end(offset) / cluster_bytes;
    const uint64_t last = cluster_begin(offset + bytes) / cluster_bytes;
    if (first >= last) {
        return {};
    }
    const RequestTracker::Ticket alone(clusters_, first * cluster_bytes, last * cluster_bytes, true);
    return map_->drop(first, last - first, ClusterKind::unallocated);
}

/// Copies a run of clusters from below, as many at a time as QEMU: if one cannot be read, those before it are not copied. The
/// last cluster may end with the image.
Status SnapshotOverlay::populate_run(uint64_t first, uint64_t count) {
    constexpr uint64_t most = (16U << 20) / cluster_bytes;
    for (uint64_t done = 0; done < count;) {
        const uint64_t part = std::min(count - done, most);
        AlignedBuffer buffer;
        TRY(buffer.allocate(part * cluster_bytes));
        const IoVec content(buffer.data(), part * cluster_bytes);
        const uint64_t begin = (first + done) * cluster_bytes;
        TRY(read_base(begin, content));
        TRY(content.is_zero() ? map_->drop(first + done, part, ClusterKind::zero)
                              : fill_clusters(begin, content, ClusterKind::data));
        done += part;
    }
    return {};
}

Result<bool> SnapshotOverlay::populate(uint64_t offset, uint64_t bytes) {
    const Span span(offset, bytes);
    {
        // The usual case, which needs no lock.
        const ClusterRun run = TRY(map_->find(span.first, span.count));
        if (run.kind != ClusterKind::unallocated && run.count == span.count) {
            return true;
        }
    }
    const RequestTracker::Ticket alone(clusters_, span.begin(), span.end(), true);
    for (uint64_t done = 0; done < span.count;) {
        const ClusterRun run = TRY(map_->find(span.first + done, span.count - done));
        if (run.kind == ClusterKind::unallocated) {
            TRY(populate_run(span.first + done, run.count));
        }
        done += run.count;
    }
    return true;
}

} // namespace zoneio
