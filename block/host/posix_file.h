// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/open_context.h"

#include <atomic>
#include <string>

namespace zoneio {

/// Are images locked? Where the kernel can, as a rule.
enum class Locking : uint8_t { automatic, on, off };
inline constexpr EnumWord<Locking> locking_words[] = {
    {"auto", Locking::automatic}, {"on", Locking::on}, {"off", Locking::off}};

/// What the drivers `file` and `host_device` share: one file descriptor, its options, O_DIRECT, locks.
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
    /// Is the file of a kind that this driver takes? Called with the open descriptor.
    virtual Status check_kind(int fd) const = 0;
    /// May it be written? Called when it was opened for that.
    virtual Status check_writable(int /*fd*/) const { return {}; }
    /// The length of what is behind fd, in bytes.
    virtual Result<uint64_t> measure(int fd) const = 0;
    /// The block size that the device has of itself; 0 where only trying tells.
    virtual uint32_t device_block_size(int fd) const;
    /// Is what was opened gone? Asked where a transfer ends early: system calls then fail as at the end of a file.
    virtual bool is_removed() const { return false; }
    /// Asked where a read finds the end of the storage at `position`, before the end of the request: an error makes the
    /// request fail; otherwise the rest reads as zeros.
    virtual Status check_end(uint64_t /*position*/) const { return {}; }
    /// The error of open(2) in this driver's words.
    virtual Status open_error(int error) const;
    /// The error of any other system call, with this file as its cause.
    Status file_error(int error) const;

    /// Opens `context.filename` and takes the options out.
    Status open(OpenContext& context, Options& options);

    int fd() const { return fd_.get(); }
    bool is_direct() const { return direct_; }
    const std::string& filename() const { return filename_; }
    uint64_t known_length() const { return length_.load(std::memory_order_relaxed); }
    void set_length(uint64_t length) { length_.store(length, std::memory_order_relaxed); }
    /// A write went up to `end`.
    void extend_length(uint64_t end);

private:
    class Reopen;

    Status refuse_descriptor_set() const;
    /// Is it to be opened for writing? Asked before it is.
    Status may_open_for_writing() const { return write_guard_ ? write_guard_(filename_) : Status(); }
    /// The file for reading, and with `writable` for writing as well, where that is allowed.
    Result<FileDescriptor> open_file(bool writable, bool direct) const;
    /// Is the descriptor to be one for writing? With auto-read-only it is as long as somebody writes.
    bool needs_writing(const NodeFlags& flags, const Permissions& permissions) const;
    /// The same once more: checked, and locked like the first.
    Result<FileDescriptor> open_beside(bool writable, bool direct) const;
    /// Puts a descriptor for writing in the place of the one that is open.
    Status become_writable();
    /// Takes out what this driver understands.
    Status take_options(Options& options, Locking& locking);
    /// EINVAL for the kernel's own asynchronous I/O where the page cache is in its way.
    Status check_aio(bool direct) const;
    Status refresh_length(int fd);
    Limits probe_limits(int fd, bool direct) const;
    /// The whole request in one piece, or its part that one system call takes.
    Status transfer(uint64_t offset, const IoVec& iov, bool is_write);
    Status transfer_bounced(uint64_t offset, const IoVec& iov, bool is_write);

    FileDescriptor fd_;
    std::string filename_;
    WriteGuard write_guard_; ///< may be empty
    NodeFlags flags_;
    bool direct_ = false;
    bool writable_ = false; ///< what fd_ is open for
    bool use_locks_ = false;
    Permissions permissions_; ///< what the locks on fd_ stand for, where there are any
    std::atomic<uint64_t> length_{0};
    std::atomic<int> sync_error_{0}; ///< errno of a sync that failed, for good
};

} // namespace zoneio
