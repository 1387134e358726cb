// SPDX-License-Identifier: GPL-3.0-or-later
//
// Data transfers of PosixFile.
#include "block/host/posix_file.h"

#include "block/trace/trace.h"

#include <algorithm>
#include <climits>
#include <sys/uio.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Size of the bounce buffer, in bytes.
constexpr size_t bounce_bytes = 1U << 20;

/// Reads a single segment without a vector, which saves about 0.1 us of a 4 KiB request.
ssize_t read_segments(int fd, std::span<const iovec> segments, off_t position) {
    return segments.size() == 1 ? ::pread(fd, segments[0].iov_base, segments[0].iov_len, position)
                                : ::preadv(fd, segments.data(), static_cast<int>(segments.size()), position);
}

ssize_t write_segments(int fd, std::span<const iovec> segments, off_t position) {
    return segments.size() == 1 ? ::pwrite(fd, segments[0].iov_base, segments[0].iov_len, position)
                                : ::pwritev(fd, segments.data(), static_cast<int>(segments.size()), position);
}

} // namespace

Status PosixFile::preadv(uint64_t offset, const IoVec& iov) {
    if (direct_ && !iov.is_aligned(limits_.memory_alignment, limits_.request_alignment)) {
        return transfer_bounced(offset, iov, false);
    }
    return transfer(offset, iov, false);
}

Status PosixFile::pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) {
    Status status = direct_ && !iov.is_aligned(limits_.memory_alignment, limits_.request_alignment)
                        ? transfer_bounced(offset, iov, true)
                        : transfer(offset, iov, true);
    if (status.ok()) {
        extend_length(offset + iov.bytes());
    }
    return status;
}

Status PosixFile::transfer(uint64_t offset, const IoVec& iov, bool is_write) {
    const uint64_t total = iov.bytes();
    uint64_t done = 0;
    IoVec rest;
    while (done < total) {
        std::span<const iovec> segments = iov.segments();
        if (done > 0 || segments.size() > IOV_MAX) {
            rest = iov.slice(done, total - done, IOV_MAX);
            segments = rest.segments();
        }
        const auto position = static_cast<off_t>(offset + done);
        const ssize_t result = is_write ? write_segments(fd(), segments, position) : read_segments(fd(), segments, position);
        if (result > 0) {
            done += static_cast<uint64_t>(result);
            continue;
        }
        if (result < 0 && errno == EINTR) {
            continue;
        }
        const int error = result == 0 ? ENOSPC : errno;
        if (error == ENOSPC && is_removed()) {
            return Status::from_errno(ENXIO);
        }
        // With O_DIRECT, the rest of a short read at the end of a file is often unaligned.
        const bool end_of_file = result == 0 || (error == EINVAL && direct_ && done > 0);
        if (!is_write && end_of_file) {
            iov.fill(done, total - done, 0);
            return check_end(offset + done);
        }
        return file_error(error);
    }
    return {};
}

Status PosixFile::transfer_bounced(uint64_t offset, const IoVec& iov, bool is_write) {
    AlignedBuffer bounce;
    TRY(bounce.allocate(std::min<uint64_t>(iov.bytes(), bounce_bytes), limits_.memory_alignment));
    for (uint64_t done = 0; done < iov.bytes(); done += bounce_bytes) {
        const IoVec part = iov.slice(done, std::min<uint64_t>(bounce_bytes, iov.bytes() - done));
        const IoVec aligned(bounce.data(), part.bytes());
        if (is_write) {
            part.copy_to(bounce.data());
        }
        TRY(transfer(offset + done, aligned, is_write));
        if (!is_write) {
            part.copy_from(bounce.data());
        }
    }
    return {};
}

void PosixFile::extend_length(uint64_t end) {
    uint64_t length = length_.load(std::memory_order_relaxed);
    while (end > length && !length_.compare_exchange_weak(length, end, std::memory_order_relaxed)) {
    }
}

Status PosixFile::flush() {
    if (const int error = sync_error_.load(std::memory_order_relaxed); error != 0) {
        return file_error(error);
    }
    if (uninterrupted([this] { return fdatasync(fd()); }) < 0) {
        const int error = errno;
        note_sync_error(error);
        return file_error(error);
    }
    return {};
}

void PosixFile::note_sync_error(int error) {
    trace_file_flush_fdatasync_failed(error);
    // The kernel reports lost pages only once. A later sync would succeed, as if they were on the medium.
    if (!direct_) {
        sync_error_.store(error, std::memory_order_relaxed);
    }
}

std::optional<FdIo> PosixFile::native_io(Request& request, uint64_t offset) {
    if (request.op != RequestOp::read && request.op != RequestOp::write) {
        return std::nullopt;
    }
    const bool beyond_end = offset + request.bytes > length_.load(std::memory_order_relaxed);
    const bool fits = request.iov.count() <= IOV_MAX &&
                      (!direct_ || request.iov.is_aligned(limits_.memory_alignment, limits_.request_alignment));
    if (beyond_end || !fits) {
        return std::nullopt;
    }
    return FdIo{fd(), offset, request.op == RequestOp::write && request.flags.fua};
}

} // namespace zoneio
