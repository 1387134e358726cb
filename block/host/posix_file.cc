// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/posix_file.h"

#include "block/host/open_again.h"
#include "block/base/size.h"
#include "block/host/file_lock.h"
#include "block/node/mode_words.h"
#include "block/objects/pr_manager.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Smallest and largest alignment of O_DIRECT that are tried, in bytes.
constexpr size_t smallest_block = 512;
constexpr size_t largest_block = 4096;

/// Result of XFS_IOC_DIOINFO (xfsctl(3)), the O_DIRECT geometry of XFS.
struct XfsDirectInfo {
    uint32_t memory_alignment;
    uint32_t smallest_io;
    uint32_t largest_io;
};
constexpr unsigned long xfs_ioc_dioinfo = _IOR('X', 30, XfsDirectInfo);

/// True if the kernel accepts an O_DIRECT read of this length into this memory.
bool direct_read_works(int fd, uint8_t* buffer, size_t length) {
    const ssize_t result = uninterrupted([&] { return pread(fd, buffer, length, 0); });
    // Errors other than EINVAL come from the medium; the alignment was accepted.
    return result >= 0 || errno != EINVAL;
}

/// True if the kernel reports the alignment for O_DIRECT: statx(2), since Linux 6.1.
bool told_alignment(int fd, struct statx& told) {
    return statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &told) == 0 && (told.stx_mask & STATX_DIOALIGN) != 0 &&
           told.stx_dio_offset_align != 0;
}

/// True if this process may create an io_uring. A ring without entries is refused with EINVAL, but only if nothing else
/// forbids it.
bool has_io_uring() {
    io_uring_params parameters{};
    return syscall(SYS_io_uring_setup, 0, &parameters) >= 0 || errno == EINVAL;
}

} // namespace

PosixFile::~PosixFile() = default;

uint32_t PosixFile::device_block_size(int /*fd*/) const {
    return 0;
}

Status PosixFile::open_error(int error) const {
    return Status::error(error, fmt::format("Could not open '{}': {}", filename_, strerror(error)))
        .because(Cause::cannot_open, {.name = filename_});
}

Status PosixFile::file_error(int error) const {
    return Status::from_errno(error).because(Cause::file_error, {.name = filename_});
}

/// EINVAL for `/dev/fdset/N`, a descriptor passed by a monitor: neither zoneio nor qemu-io has any.
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
        return Status::invalid("Could not parse fdset " + filename_);
    }
    return open_error(ENOSYS);
}

Result<FileDescriptor> PosixFile::open_file(bool writable, bool direct) const {
    TRY(refuse_descriptor_set());
    // Opening a FIFO for reading would wait for a writer.
    struct stat named{};
    const int no_wait = stat(filename_.c_str(), &named) == 0 && S_ISFIFO(named.st_mode) ? O_NONBLOCK : 0;
    const int flags = (writable ? O_RDWR : O_RDONLY) | (direct ? O_DIRECT : 0) | no_wait | O_CLOEXEC;
    FileDescriptor file(uninterrupted([&] { return ::open(filename_.c_str(), flags); }));
    const int error = errno;
    if (!file.valid() && error == ENOENT) {
        file = duplicate_of_memory(filename_);
    }
    if (!file.valid()) {
        if (error == EINVAL && direct) {
            return Status::error(error, fmt::format("Could not open '{}': filesystem does not support O_DIRECT", filename_))
                .because(Cause::cannot_open, {.name = filename_});
        }
        return open_error(error);
    }
    TRY(writable ? check_writable(file.get()) : Status());
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
    TRY(options.take_all({{"aio", aio},
                          {"locking", lock_word},
                          {"pr-manager", pr_manager},
                          OptionTarget::number("aio-max-batch", aio_max_batch),
                          {"drop-cache", drop_cache},
                          {"x-check-cache-dropped", check_cache_dropped}}));
    if (aio) {
        TRY(parse_enum(aio_mode_words, *aio, traits_.aio));
    }
    if (lock_word) {
        TRY(parse_enum(locking_words, *lock_word, locking));
    }
    return pr_manager ? check_pr_manager(*pr_manager) : Status();
}

Status PosixFile::check_aio(bool direct) const {
    if (traits_.aio == AioMode::native && !direct) {
        return Status::invalid("aio=native was specified, but it requires cache.direct=on, which was not specified.")
            .because(Cause::aio_needs_direct);
    }
    if (traits_.aio == AioMode::io_uring && !has_io_uring()) {
        return Status::error(EPERM, "aio=io_uring was specified, but is not available (disabled via io_uring_disabled sysctl or "
                                    "blocked by container runtime seccomp policy?)")
            .because(Cause::no_io_uring);
    }
    return {};
}

Status PosixFile::refresh_length(int fd) {
    Result<uint64_t> length = measure(fd);
    if (length.ok() && *length > static_cast<uint64_t>(max_image_length)) {
        length = Status::from_errno(EFBIG);
    }
    TRY(Status(length.status()).prefixed("Could not refresh total sector count: "));
    set_length(*length);
    return {};
}

Status PosixFile::open(OpenContext& context, Options& options) {
    traits_.aio = context.default_aio;
    Locking locking = Locking::automatic;
    TRY(take_options(options, locking));
    filename_ = context.filename;
    write_guard_ = context.write_guard;
    flags_ = context.flags;
    direct_ = flags_.direct;
    writable_ = needs_writing(flags_, permissions_);
    TRY(writable_ ? may_open_for_writing() : Status());
    FileDescriptor file = TRY(open_file(writable_, direct_));
    TRY(check_aio(direct_));
    TRY(check_kind(file.get()));
    TRY(refresh_length(file.get()));
    use_locks_ = locking == Locking::on || (locking == Locking::automatic && FileLock::supported(file.get()));
    limits_ = probe_limits(file.get(), direct_);
    fd_ = std::move(file);
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
    if (struct statx told{}; told_alignment(fd, told)) {
        memory = told.stx_dio_mem_align;
        block = told.stx_dio_offset_align;
    } else if (XfsDirectInfo info{}; ioctl(fd, xfs_ioc_dioinfo, &info) >= 0) {
        memory = info.memory_alignment;
        block = info.smallest_io;
    }
    AlignedBuffer buffer;
    if (!buffer.reserve(2 * largest_block, largest_block)) {
        memory = memory == 0 ? largest_block : memory;
        block = block == 0 ? largest_block : block;
    }
    // If an alignment of one byte works, the file system accepts any, or reads a hole without a check. The largest block is
    // right for both.
    const auto smallest_that = [](auto works) {
        size_t tried = 1;
        while (tried < largest_block && !works(tried)) {
            tried = tried == 1 ? smallest_block : tried * 2;
        }
        return tried == 1 ? largest_block : tried;
    };
    if (block == 0) {
        block = smallest_that([&](size_t length) { return direct_read_works(fd, buffer.data(), length); });
    }
    if (memory == 0) {
        memory = smallest_that([&](size_t shift) { return direct_read_works(fd, buffer.data() + shift, largest_block); });
    }
    limits.request_alignment = static_cast<uint32_t>(block);
    limits.memory_alignment = memory;
    return limits;
}

bool PosixFile::needs_writing(const NodeFlags& flags, const Permissions& permissions) const {
    constexpr unsigned writing = Permissions::write | Permissions::write_unchanged | Permissions::resize;
    return !flags.read_only && (!flags.auto_read_only || (permissions.taken & writing) != 0);
}

Result<FileDescriptor> PosixFile::open_beside(bool writable, bool direct) const {
    TRY(writable && !writable_ ? may_open_for_writing() : Status());
    FileDescriptor file = TRY(open_file(writable, direct));
    TRY(check_kind(file.get()));
    if (use_locks_) {
        TRY(FileLock::repeat(file.get(), permissions_));
    }
    return file;
}

Status PosixFile::become_writable() {
    const FileDescriptor file = TRY(open_beside(true, direct_));
    // dup3() keeps the descriptor number; requests in flight continue on the old file.
    if (dup3(file.get(), fd(), O_CLOEXEC) < 0) {
        return open_error(errno);
    }
    writable_ = true;
    return {};
}

Status PosixFile::set_permissions(const Permissions& permissions) {
    TRY(!writable_ && needs_writing(flags_, permissions) ? become_writable() : Status());
    if (use_locks_) {
        TRY(FileLock::acquire(fd(), permissions_, permissions, filename_));
    }
    if (use_locks_) {
        FileLock::release(fd(), permissions_, permissions);
    }
    permissions_ = permissions;
    return {};
}

/// Prepared reopen: the new flags and, if they require one, a second descriptor with the same locks.
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
        // Zone limits belong to the device and do not depend on how it is open.
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
    TRY(options.take_all({{"drop-cache", drop_cache}, {"x-check-cache-dropped", check_cache_dropped}}));
    auto reopen = std::make_unique<Reopen>(*this, flags);
    const bool writable = needs_writing(flags, permissions_);
    if (writable == writable_ && flags.direct == direct_) {
        return std::unique_ptr<PendingReopen>(std::move(reopen));
    }
    TRY(check_aio(flags.direct));
    reopen->set_descriptor(TRY(open_beside(writable, flags.direct)), writable);
    return std::unique_ptr<PendingReopen>(std::move(reopen));
}

} // namespace zoneio
