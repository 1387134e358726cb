// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/open_context.h"

#include <atomic>
#include <string>

namespace zoneio {

/// Locking of images. `automatic`: if the kernel supports it.
enum class Locking : uint8_t { automatic, on, off };
inline constexpr EnumWord<Locking> locking_words[] = {
    {"auto", Locking::automatic}, {"on", Locking::on}, {"off", Locking::off}};

/// Common part of the drivers `file` and `host_device`: one descriptor, its options, O_DIRECT, locks.
class PosixFile : public BlockDriver, protected NativeFile {
public:
    static constexpr std::string_view option_keys[] = {
        "filename", "aio", "aio-max-batch", "locking", "pr-manager", "drop-cache", "x-check-cache-dropped",
    };

    PosixFile() {
        traits_.writes_zeroes = true;
        traits_.has_info = true;
        extras_.native_file = this;
    }
    ~PosixFile() override;

    Status preadv(uint64_t offset, const IoVec& iov) override;
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status flush() override;
    Result<uint64_t> length() override { return known_length(); }
    std::optional<FdIo> native_io(Request& request, uint64_t offset) override;
    int descriptor() const override { return fd(); }
    void note_sync_error(int error) override;
    Status set_permissions(const Permissions& permissions) override;
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;
    void refresh() override { (void)refresh_length(fd()); }

protected:
    /// Error if the driver does not accept this kind of file. Called with the open descriptor.
    virtual Status check_kind(int fd) const = 0;
    /// Error if the file must not be written. Called after it was opened for writing.
    virtual Status check_writable(int /*fd*/) const { return {}; }
    /// Length in bytes of the file or device.
    virtual Result<uint64_t> measure(int fd) const = 0;
    /// Block size that the device reports, in bytes; 0 if it must be found by trying.
    virtual uint32_t device_block_size(int fd) const;
    /// True if the device was removed. Called after a short transfer: the system calls then act as at the end of a
    /// file.
    virtual bool is_removed() const { return false; }
    /// Called when a read reaches the end of the storage at `position`, before the end of the request. An error makes
    /// the request fail; otherwise the rest reads as zeros.
    virtual Status check_end(uint64_t /*position*/) const { return {}; }
    /// Status for an errno of open(2), in this driver's words.
    virtual Status open_error(int error) const;
    /// Status for an errno of any other system call, with this file as its cause.
    Status file_error(int error) const;

    /// Opens `context.filename` and takes the driver's options out.
    Status open(OpenContext& context, Options& options);

    int fd() const { return fd_.get(); }
    bool is_direct() const { return direct_; }
    const std::string& filename() const { return filename_; }
    uint64_t known_length() const { return length_.load(std::memory_order_relaxed); }
    void set_length(uint64_t length) { length_.store(length, std::memory_order_relaxed); }
    /// Sets the known length to at least `end`, after a write.
    void extend_length(uint64_t end);

private:
    class Reopen;

    Status refuse_descriptor_set() const;
    /// Asks the write guard before the file is opened for writing.
    Status may_open_for_writing() const { return write_guard_ ? write_guard_(filename_) : Status(); }
    /// Opens the file for reading and, with `writable`, also for writing if that is allowed.
    Result<FileDescriptor> open_file(bool writable, bool direct) const;
    /// True if the descriptor must be writable. With auto-read-only, it must be only while somebody writes.
    bool needs_writing(const NodeFlags& flags, const Permissions& permissions) const;
    /// Opens the file again, checks it, and locks it like the first descriptor.
    Result<FileDescriptor> open_beside(bool writable, bool direct) const;
    /// Replaces the open descriptor by a writable one.
    Status become_writable();
    /// Takes the options of this driver out of `options`.
    Status take_options(Options& options, Locking& locking);
    /// EINVAL for aio=native without O_DIRECT.
    Status check_aio(bool direct) const;
    Status refresh_length(int fd);
    Limits probe_limits(int fd, bool direct) const;
    /// Transfers the request, or the part of it that one system call accepts.
    Status transfer(uint64_t offset, const IoVec& iov, bool is_write);
    Status transfer_bounced(uint64_t offset, const IoVec& iov, bool is_write);

    FileDescriptor fd_;
    std::string filename_;
    WriteGuard write_guard_; ///< may be empty
    NodeFlags flags_;
    bool direct_ = false;
    bool writable_ = false; ///< how fd_ is open
    bool use_locks_ = false;
    Permissions permissions_; ///< permissions whose locks are held on fd_
    std::atomic<uint64_t> length_{0};
    std::atomic<int> sync_error_{0}; ///< errno of a failed sync; never cleared
};

} // namespace zoneio
