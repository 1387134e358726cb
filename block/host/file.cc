// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `file`: a regular file.
#include "block/base/notice.h"
#include "block/base/size.h"
#include "block/host/posix_file.h"
#include "block/node/driver_rows.h"
#include "block/node/mode_words.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

/// Size of the writes of `truncate -m full`, in bytes.
constexpr size_t preallocation_step = 64U << 10;

Status with_errno(int error, std::string_view text) {
    return Status::error(error, fmt::format("{}: {}", text, strerror(error)));
}

class FileDriver final : public PosixFile {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        auto driver = std::make_unique<FileDriver>();
        TRY(driver->open(context, options));
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        if (flags.may_unmap && punch_hole_works_) {
            Status status = punch_hole(offset, bytes);
            if (status.code() != ENOTSUP && status.code() != EINVAL) {
                return status;
            }
        }
        Status status = Status::from_errno(ENOTSUP);
        if (zero_range_works_) {
            status = allocate(FALLOC_FL_ZERO_RANGE, offset, bytes, zero_range_works_);
        }
        if ((status.code() == ENOTSUP || status.code() == EINVAL) && punch_hole_works_) {
            status = punch_hole(offset, bytes);
            if (status.ok()) {
                status = allocate(0, offset, bytes, allocate_works_);
                if (status.code() == EINVAL) {
                    return status;
                }
            } else if (status.code() == EINVAL) {
                warn_of_file_system();
            }
        }
        if (status.ok()) {
            extend_length(offset + bytes);
        }
        // EINVAL is an objection to the range; zeros can still be written as data.
        return status.code() == EINVAL ? Status::from_errno(ENOTSUP) : std::move(status);
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override {
        return punch_hole_works_ ? punch_hole(offset, bytes) : Status::from_errno(ENOTSUP);
    }

    Status truncate(uint64_t size, PreallocMode mode) override;

    /// After a reopen the file may be another one, on a file system with more features.
    void refresh() override {
        PosixFile::refresh();
        punch_hole_works_ = true;
        zero_range_works_ = true;
        allocate_works_ = true;
    }

    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        if (!want_zero) {
            return BlockExtent{bytes, true, false};
        }
        const off_t data = lseek(fd(), static_cast<off_t>(offset), SEEK_DATA);
        if (data < 0) {
            // ENXIO: a hole up to the end. Any other error: holes cannot be found, so everything is data.
            const bool is_hole = errno == ENXIO;
            return BlockExtent{bytes, !is_hole, is_hole};
        }
        if (static_cast<uint64_t>(data) > offset) {
            return BlockExtent{std::min(bytes, static_cast<uint64_t>(data) - offset), false, true};
        }
        const off_t hole = lseek(fd(), static_cast<off_t>(offset), SEEK_HOLE);
        const uint64_t end = hole < 0 ? offset + bytes : static_cast<uint64_t>(hole);
        return BlockExtent{std::min(bytes, end - offset), true, false};
    }

protected:
    Status check_kind(int fd) const override {
        struct stat st{};
        if (fstat(fd, &st) < 0) {
            return with_errno(errno, "Could not stat file");
        }
        if (!S_ISREG(st.st_mode)) {
            return Status::invalid(fmt::format("'file' driver requires '{}' to be a regular file", filename()));
        }
        return {};
    }

    Result<uint64_t> measure(int fd) const override {
        const off_t end = lseek(fd, 0, SEEK_END);
        if (end < 0) {
            return Status::from_errno(errno);
        }
        return static_cast<uint64_t>(end);
    }

private:
    /// fallocate(2). An operation that the file system does not support is not tried again.
    Status allocate(int mode, uint64_t offset, uint64_t bytes, std::atomic<bool>& works) {
        const auto call = [&] { return fallocate(fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(bytes)); };
        if (uninterrupted(call) == 0) {
            return {};
        }
        if (errno == EOPNOTSUPP || errno == ENOSYS || errno == ENODEV || errno == ENOTTY) {
            works = false;
            return Status::from_errno(ENOTSUP);
        }
        return file_error(errno);
    }

    Status punch_hole(uint64_t offset, uint64_t bytes) {
        return allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes, punch_hole_works_);
    }

    /// Warns that the file system restricts the ends of holes. Once per process is enough.
    static void warn_of_file_system() {
        static std::atomic<bool> warned{false};
        if (!warned.exchange(true)) {
            add_late_notice({true, "Your file system is misbehaving: fallocate(FALLOC_FL_PUNCH_HOLE) returned EINVAL. Please "
                                   "report this bug to your file system vendor."});
        }
    }

    /// Error of a step of truncate().
    Status failed(int error, std::string_view text) const {
        return with_errno(error, text).because(Cause::file_error, {.name = filename()});
    }
    Status write_zeros(uint64_t begin, uint64_t end);
    void allocate_first_block(uint64_t size);

    std::atomic<bool> punch_hole_works_{true};
    std::atomic<bool> zero_range_works_{true};
    std::atomic<bool> allocate_works_{true};
};

Status FileDriver::write_zeros(uint64_t begin, uint64_t end) {
    const std::vector<uint8_t> zeros(preallocation_step);
    while (begin < end) {
        const size_t part = std::min<uint64_t>(end - begin, zeros.size());
        const ssize_t written = uninterrupted([&] { return pwrite(fd(), zeros.data(), part, static_cast<off_t>(begin)); });
        if (written < 0) {
            return failed(errno, "Could not write zeros for preallocation");
        }
        begin += static_cast<uint64_t>(written);
    }
    return fsync(fd()) < 0 ? failed(errno, "Could not flush file to disk") : Status();
}

/// Allocates data at the start of an empty file, if possible: the block size for O_DIRECT cannot be found out in a
/// hole.
void FileDriver::allocate_first_block(uint64_t size) {
    constexpr size_t largest_block = 4096;
    const std::vector<uint8_t> zeros(size < largest_block ? sector_size : largest_block);
    (void)uninterrupted([&] { return pwrite(fd(), zeros.data(), zeros.size(), 0); });
}

Status FileDriver::truncate(uint64_t size, PreallocMode mode) {
    struct stat st{};
    if (fstat(fd(), &st) < 0) {
        return with_errno(errno, "Could not stat file");
    }
    const auto current = static_cast<uint64_t>(st.st_size);
    if (size < current && mode != PreallocMode::off) {
        return Status::error(ENOTSUP, "Cannot use preallocation for shrinking files");
    }
    Status status;
    switch (mode) {
    case PreallocMode::metadata:
        return Status::error(ENOTSUP,
                             fmt::format("Unsupported preallocation mode: {}", word_for(prealloc_mode_words, mode)));
    case PreallocMode::falloc:
        if (size != current) {
            const int error =
                posix_fallocate(fd(), static_cast<off_t>(current), static_cast<off_t>(size - current));
            status = error == 0 ? Status() : failed(error, "Could not preallocate new data");
            if (error == 0 && current == 0) {
                allocate_first_block(size);
            }
        }
        break;
    case PreallocMode::off:
    case PreallocMode::full:
        if (ftruncate(fd(), static_cast<off_t>(size)) < 0) {
            return failed(errno, "Could not resize file");
        }
        if (mode == PreallocMode::full) {
            status = write_zeros(current, size);
        } else if (current == 0 && size > 0) {
            allocate_first_block(size);
        }
        break;
    }
    if (!status.ok()) {
        // A failed growth gives back the space that it has allocated.
        if (ftruncate(fd(), st.st_size) < 0) {
            return failed(errno, status.message() + "; could not restore the old length");
        }
        return status;
    }
    const Result<uint64_t> length = measure(fd());
    set_length(length.ok() ? *length : size);
    return {};
}

} // namespace

const DriverInfo file_driver{"file", true, true, nullptr, FileDriver::create, PosixFile::option_keys};

} // namespace zoneio
