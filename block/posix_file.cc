// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/posix_file.h"

#include "block/file_lock.h"
#include "block/mode_words.h"
#include "block/size.h"
#include "block/trace.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace zoneio {

namespace {

/// What the memory and file alignment of O_DIRECT is sought between, in bytes.
constexpr size_t smallest_block = 512;
constexpr size_t largest_block = 4096;

/// How much of a request goes through a bounce buffer at a time.
constexpr size_t bounce_bytes = 1U << 20;

/// XFS tells its O_DIRECT geometry by an ioctl of its own (XFS_IOC_DIOINFO, xfsctl(3)).
struct XfsDirectInfo {
    uint32_t memory_alignment;
    uint32_t smallest_io;
    uint32_t largest_io;
};
constexpr unsigned long xfs_ioc_dioinfo = _IOR('X', 30, XfsDirectInfo);

/// Does the kernel take an O_DIRECT read of this length into this memory?
bool direct_read_works(int fd, uint8_t* buffer, size_t length) {
    ssize_t result = 0;
    do {
        result = pread(fd, buffer, length, 0);
    } while (result < 0 && errno == EINTR);
    // Any other error than EINVAL comes from the medium: the geometry was fine.
    return result >= 0 || errno != EINVAL;
}

/// One segment goes without a vector, which the kernel would have to copy and check: about 0.1 us of a 4 KiB request.
ssize_t read_segments(int fd, std::span<const iovec> segments, off_t position) {
    return segments.size() == 1 ? ::pread(fd, segments[0].iov_base, segments[0].iov_len, position)
                                : ::preadv(fd, segments.data(), static_cast<int>(segments.size()), position);
}

ssize_t write_segments(int fd, std::span<const iovec> segments, off_t position) {
    return segments.size() == 1 ? ::pwrite(fd, segments[0].iov_base, segments[0].iov_len, position)
                                : ::pwritev(fd, segments.data(), static_cast<int>(segments.size()), position);
}

} // namespace

PosixFile::~PosixFile() = default;

uint32_t PosixFile::device_block_size(int /*fd*/) const {
    return 0;
}

Status PosixFile::open_error(int error) const {
    return Status::error(error, fmt::format("Could not open '{}': {}", filename_, strerror(error)));
}

/// `/dev/fdset/N` names descriptors that a monitor handed over. There is none here, nor in qemu-io.
Status PosixFile::refuse_descriptor_set() const {
    constexpr std::string_view directory = "/dev/fdset/";
    if (!filename_.starts_with(directory)) {
        return {};
    }
    const char* const text = filename_.c_str() + directory.size();
    char* end = nullptr;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < 0 || number > INT_MAX) {
        return Status::error(EINVAL, "Could not parse fdset " + filename_);
    }
    return open_error(ENOSYS);
}

Result<FileDescriptor> PosixFile::open_file(bool writable, bool direct) const {
    if (Status status = refuse_descriptor_set(); !status.ok()) {
        return status;
    }
    // To open a FIFO for reading would wait until somebody writes to it.
    if (struct stat st{}; stat(filename_.c_str(), &st) == 0 && S_ISFIFO(st.st_mode)) {
        const FileDescriptor named(::open(filename_.c_str(), O_PATH | O_CLOEXEC));
        if (Status status = check_kind(named.get()); !status.ok()) {
            return status;
        }
    }
    const int direct_flag = direct ? O_DIRECT : 0;
    int fd = -1;
    do {
        fd = ::open(filename_.c_str(), (writable ? O_RDWR : O_RDONLY) | direct_flag | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    FileDescriptor file(fd);
    if (!file.valid()) {
        const int error = errno;
        if (error == EINVAL && direct) {
            return Status::error(error, fmt::format("Could not open '{}': filesystem does not support O_DIRECT", filename_));
        }
        return open_error(error);
    }
    if (Status status = writable ? check_writable(file.get()) : Status(); !status.ok()) {
        return status;
    }
    return file;
}

Status PosixFile::take_options(Options& options, Locking& locking) {
    std::optional<std::string> aio;
    std::optional<std::string> lock_word;
    std::optional<std::string> pr_manager;
    std::optional<uint64_t> aio_max_batch;
    std::optional<bool> drop_cache;
    std::optional<bool> check_cache_dropped;
    options.erase("filename");
    Status status = options.take_all({{"aio", aio},
                                      {"locking", lock_word},
                                      {"pr-manager", pr_manager},
                                      OptionTarget::number("aio-max-batch", aio_max_batch),
                                      {"drop-cache", drop_cache},
                                      {"x-check-cache-dropped", check_cache_dropped}});
    if (status.ok() && aio) {
        status = parse_enum(aio_mode_words, *aio, aio_);
    }
    if (status.ok() && lock_word) {
        status = parse_enum(locking_words, *lock_word, locking);
    }
    if (status.ok() && pr_manager) {
        status = Status::error(EINVAL, fmt::format("No persistent reservation manager with id '{}'", *pr_manager));
    }
    return status;
}

Status PosixFile::check_aio(bool direct) const {
    return aio_ == AioMode::native && !direct
               ? Status::error(EINVAL, "aio=native was specified, but it requires cache.direct=on, which was not specified.")
               : Status();
}

Status PosixFile::refresh_length(int fd) {
    Result<uint64_t> length = measure(fd);
    if (length.ok() && *length > static_cast<uint64_t>(max_image_length)) {
        length = Status::from_errno(EFBIG);
    }
    if (!length.ok()) {
        return Status::error(length.status().code(), "Could not refresh total sector count: " + length.status().message());
    }
    set_length(*length);
    return {};
}

Status PosixFile::open(OpenContext& context, Options& options) {
    aio_ = context.default_aio;
    Locking locking = Locking::automatic;
    Status status = take_options(options, locking);
    if (!status.ok()) {
        return status;
    }
    filename_ = context.filename;
    flags_ = context.flags;
    direct_ = flags_.direct;
    writable_ = needs_writing(flags_, permissions_);
    status = writable_ ? may_open_for_writing() : Status();
    if (!status.ok()) {
        return status;
    }
    Result<FileDescriptor> file = open_file(writable_, direct_);
    if (!file.ok()) {
        return std::move(file).status();
    }
    status = check_aio(direct_);
    if (status.ok()) {
        status = check_kind(file->get());
    }
    if (status.ok()) {
        status = refresh_length(file->get());
    }
    if (!status.ok()) {
        return status;
    }
    use_locks_ = locking == Locking::on || (locking == Locking::automatic && FileLock::supported(file->get()));
    limits_ = probe_limits(file->get(), direct_);
    fd_ = std::move(*file);
    return {};
}

Limits PosixFile::probe_limits(int fd, bool direct) const {
    Limits limits;
    limits.max_buffers = IOV_MAX;
    if (!direct) {
        return limits;
    }
    size_t memory = 0;
    size_t block = device_block_size(fd);
    if (XfsDirectInfo info{}; ioctl(fd, xfs_ioc_dioinfo, &info) >= 0) {
        memory = info.memory_alignment;
        block = info.smallest_io;
    }
    AlignedBuffer buffer;
    if (!buffer.reserve(2 * largest_block, largest_block)) {
        memory = memory == 0 ? largest_block : memory;
        block = block == 0 ? largest_block : block;
    }
    if (block == 0) {
        // A file system that takes one byte either does not care, or has a hole there and does not look:
        // the largest block is right for both.
        size_t tried = 1;
        while (tried < largest_block && !direct_read_works(fd, buffer.data(), tried)) {
            tried = tried == 1 ? smallest_block : tried * 2;
        }
        block = tried == 1 ? largest_block : tried;
    }
    if (memory == 0) {
        size_t tried = 1;
        while (tried < largest_block && !direct_read_works(fd, buffer.data() + tried, largest_block)) {
            tried = tried == 1 ? smallest_block : tried * 2;
        }
        memory = tried == 1 ? largest_block : tried;
    }
    limits.request_alignment = static_cast<uint32_t>(block);
    limits.memory_alignment = memory;
    return limits;
}

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
            rest = iov.slice(done, total - done);
            segments = rest.segments().first(std::min<size_t>(rest.count(), IOV_MAX));
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
        // With O_DIRECT the rest behind a short read at the end of a file is often unaligned.
        const bool end_of_file = result == 0 || (error == EINVAL && direct_ && done > 0);
        if (!is_write && end_of_file) {
            iov.fill(done, total - done, 0);
            return {};
        }
        return Status::from_errno(error);
    }
    return {};
}

Status PosixFile::transfer_bounced(uint64_t offset, const IoVec& iov, bool is_write) {
    AlignedBuffer bounce;
    if (!bounce.reserve(std::min<uint64_t>(iov.bytes(), bounce_bytes), limits_.memory_alignment)) {
        return Status::from_errno(ENOMEM);
    }
    for (uint64_t done = 0; done < iov.bytes(); done += bounce_bytes) {
        const IoVec part = iov.slice(done, std::min<uint64_t>(bounce_bytes, iov.bytes() - done));
        const IoVec aligned(bounce.data(), part.bytes());
        if (is_write) {
            part.copy_to(bounce.data());
        }
        Status status = transfer(offset + done, aligned, is_write);
        if (!status.ok()) {
            return status;
        }
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
        return Status::from_errno(error);
    }
    int result = 0;
    do {
        result = fdatasync(fd());
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        const int error = errno;
        note_sync_error(error);
        return Status::from_errno(error);
    }
    return {};
}

void PosixFile::note_sync_error(int error) {
    trace_file_flush_fdatasync_failed(error);
    // The kernel tells of lost pages once: a later sync would succeed, and say that they are on the medium.
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

bool PosixFile::needs_writing(const NodeFlags& flags, const Permissions& permissions) const {
    constexpr unsigned writing = Permissions::write | Permissions::write_unchanged | Permissions::resize;
    return !flags.read_only && (!flags.auto_read_only || (permissions.taken & writing) != 0);
}

Status PosixFile::become_writable() {
    Status status = may_open_for_writing();
    if (!status.ok()) {
        return status;
    }
    Result<FileDescriptor> file = open_file(true, direct_);
    if (!file.ok()) {
        return std::move(file).status();
    }
    status = check_kind(file->get());
    if (status.ok() && use_locks_) {
        status = FileLock::repeat(file->get(), permissions_);
    }
    if (!status.ok()) {
        return status;
    }
    // Requests in flight go on with what the number stood for when they began.
    if (dup3(file->get(), fd(), O_CLOEXEC) < 0) {
        return open_error(errno);
    }
    writable_ = true;
    return {};
}

Status PosixFile::set_permissions(const Permissions& permissions) {
    Status status = !writable_ && needs_writing(flags_, permissions) ? become_writable() : Status();
    if (status.ok() && use_locks_) {
        status = FileLock::acquire(fd(), permissions_, permissions, filename_);
    }
    if (!status.ok()) {
        return status;
    }
    if (use_locks_) {
        FileLock::release(fd(), permissions_, permissions);
    }
    permissions_ = permissions;
    return {};
}

/// The new flags, and where they need one a second descriptor, locked like the first, ready to take its place.
class PosixFile::Reopen : public PendingReopen {
public:
    Reopen(PosixFile& file, const NodeFlags& flags) : file_(file), flags_(flags) {}

    void set_descriptor(FileDescriptor fd, bool writable) {
        fd_ = std::move(fd);
        writable_ = writable;
        limits_ = file_.probe_limits(fd_.get(), flags_.direct);
    }

    void commit() override {
        file_.flags_ = flags_;
        if (!fd_.valid()) {
            return;
        }
        file_.fd_ = std::move(fd_);
        file_.writable_ = writable_;
        file_.direct_ = flags_.direct;
        // Zoned limits are the device's, however it is open.
        file_.limits_.request_alignment = limits_.request_alignment;
        file_.limits_.memory_alignment = limits_.memory_alignment;
    }

private:
    PosixFile& file_;
    NodeFlags flags_;
    FileDescriptor fd_;
    bool writable_ = false;
    Limits limits_;
};

Result<std::unique_ptr<PendingReopen>> PosixFile::prepare_reopen(Options& options, const NodeFlags& flags) {
    std::optional<bool> drop_cache;
    std::optional<bool> check_cache_dropped;
    Status status = options.take_all({{"drop-cache", drop_cache}, {"x-check-cache-dropped", check_cache_dropped}});
    if (!status.ok()) {
        return status;
    }
    auto reopen = std::make_unique<Reopen>(*this, flags);
    const bool writable = needs_writing(flags, permissions_);
    if (writable == writable_ && flags.direct == direct_) {
        return std::unique_ptr<PendingReopen>(std::move(reopen));
    }
    status = check_aio(flags.direct);
    if (status.ok() && writable && !writable_) {
        status = may_open_for_writing();
    }
    if (!status.ok()) {
        return status;
    }
    Result<FileDescriptor> file = open_file(writable, flags.direct);
    if (!file.ok()) {
        return std::move(file).status();
    }
    status = check_kind(file->get());
    if (status.ok() && use_locks_) {
        status = FileLock::repeat(file->get(), permissions_);
    }
    if (!status.ok()) {
        return status;
    }
    reopen->set_descriptor(std::move(*file), writable);
    return std::unique_ptr<PendingReopen>(std::move(reopen));
}

} // namespace zoneio
