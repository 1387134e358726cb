// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/request_tracker.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace zoneio {

struct Notice;

/// A node of the chain: a driver with the code that is common to all drivers.
///
/// A node pads requests to the driver's alignment (after reading the partial blocks), splits them at its limits, writes
/// zeros as data if the driver has no better way, forces writes out, records whether there is anything to flush, and raises
/// the events of fault injection. REQUIRES: ranges within the image. Data methods may be called from several threads.
class BlockNode {
public:
    BlockNode(const DriverInfo& info, std::unique_ptr<BlockDriver> driver, NodeFlags flags, std::string name,
              std::string filename);
    /// Flushes unflushed data. See tell_when_closed() for errors.
    ~BlockNode();
    BlockNode(const BlockNode&) = delete;
    BlockNode& operator=(const BlockNode&) = delete;

    const DriverInfo& info() const { return info_; }
    BlockDriver& driver() { return *driver_; }
    const BlockNode* child() const { return driver_->child(); }
    const DriverExtras& extras() const { return driver_->extras(); }
    /// See Traits.
    bool counts_requests() const { return driver_->traits().counts_requests; }
    const NodeFlags& flags() const { return flags_; }
    const Limits& limits() const { return driver_->limits(); }
    const std::string& name() const { return name_; }
    const std::string& filename() const { return filename_; }
    /// True when the file name alone describes the node.
    bool has_plain_name() const;
    /// The file name if it describes the node, otherwise `json:` with all options.
    std::string shown_name() const;
    /// The options that describe the node, as a JSON object.
    std::string to_json() const;
    /// Options that the node was opened with, without those of its child.
    const Options& options() const { return options_; }
    void set_options(Options options) { options_ = std::move(options); }
    /// For reopen, after the driver has accepted the flags.
    void set_flags(const NodeFlags& flags) { flags_ = flags; }
    /// Turns on copy-on-read: reads copy data from the node below into the driver. REQUIRES: no request yet.
    void copy_on_read() { flags_.copy_on_read = true; }

    Status preadv(uint64_t offset, const IoVec& iov);
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status pdiscard(uint64_t offset, uint64_t bytes);
    Status flush();
    Status truncate(uint64_t size, PreallocMode mode);
    /// As BlockDriver::block_status. At the end of the image, the extent has no bytes.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);
    /// Length in bytes, rounded up to 512.
    Result<uint64_t> length();

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes);
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state);

    /// As NativeFile::native_io, if the node need not change the request. Adds to the request's holds what keeps overlapping
    /// requests waiting, even if it returns nothing.
    std::optional<FdIo> native_io(Request& request, uint64_t offset);
    /// Records that a request done through native_io has written data.
    void note_native_write();
    /// After a reopen: makes the next flush reach the driver if the driver has unflushed data.
    void take_over_unflushed();
    /// Records that the sync after a native request failed.
    void note_sync_error(int error);

    /// Raises an event of fault injection, see Breakpoints::debug_event.
    void raise(DebugEvent event) {
        if (breakpoints_ != nullptr) {
            breakpoints_->debug_event(event);
        }
    }
    /// False only while the nodes above are being closed and none of their drivers writes to this node any more.
    bool is_written() const { return written_; }
    /// Adds to `notices` each flush that fails while this node and those below are closed. For the root of a chain,
    /// directly before it is closed.
    void tell_when_closed(std::vector<Notice>& notices) { tell_when_closed(notices, false); }
    /// True when data was written to this node since the last flush.
    bool is_dirty() const { return writes_.load(std::memory_order_acquire) != flushed_.load(std::memory_order_acquire); }

    Status set_permissions(const Permissions& permissions);
    const Permissions& permissions() const { return permissions_; }
    /// Checks that the image consists of whole blocks, if it may be written but not resized: padding must not make it grow.
    Status check_whole_blocks(const Permissions& permissions);

private:
    struct Padding {
        uint64_t head = 0; ///< bytes between the start of the block and the request
        uint64_t tail = 0; ///< bytes between the request and the end of the block
        uint64_t begin = 0;
        uint64_t end = 0;
        bool needed() const { return head != 0 || tail != 0; }
    };

    /// Old content of the partial blocks at the ends of a write.
    struct Edges {
        AlignedBuffer memory;
        uint8_t* first = nullptr; ///< the block at Padding::begin
        uint8_t* last = nullptr;  ///< the block before Padding::end
        bool merged = false;      ///< the whole padded range is in one buffer
    };
    class FlushTurn;

    void tell_when_closed(std::vector<Notice>& notices, bool below_format);
    void set_written(bool written);
    std::string name_when_closed() const;
    Padding padding(uint64_t offset, uint64_t bytes) const;
    bool needs_tracking() const { return limits().request_alignment > 1 || flags_.copy_on_read; }
    void mark_written() { writes_.fetch_add(1, std::memory_order_release); }

    Status read_aligned(uint64_t offset, const IoVec& iov);
    Status read_copying(uint64_t offset, const IoVec& iov);
    Status copy_part(uint64_t offset, const IoVec& iov);
    /// True for write permission without resize permission.
    static bool may_only_write(const Permissions& permissions);
    Status check_padding(const Padding& pad);
    Status read_edges(const Padding& pad, Edges& edges);
    Status write_padded(const IoVec& iov, const Padding& pad, WriteFlags flags);
    Status write_aligned(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status write_split(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status zero_padded(uint64_t offset, uint64_t bytes, const Padding& pad, WriteFlags flags);
    Status zero_aligned(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status zero_in_parts(uint64_t offset, uint64_t bytes, WriteFlags flags, bool& zeroed);
    Status zero_by_writing(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status discard_in_parts(uint64_t offset, uint64_t bytes);
    uint64_t transfer_limit() const;

    const DriverInfo& info_;
    std::unique_ptr<BlockDriver> driver_;
    NodeFlags flags_;
    std::string name_;
    std::string filename_;
    Options options_;
    Permissions permissions_;

    Breakpoints* const breakpoints_; ///< of this driver
    const bool has_events_;          ///< this driver or one below has breakpoints
    bool written_ = true;
    bool below_format_ = false; ///< a node above is not a protocol; valid with close_notices_
    std::vector<Notice>* close_notices_ = nullptr;
    Task* flushing_ = nullptr;
    std::vector<Task*> flush_waiters_;

    RequestTracker tracker_;
    std::atomic<uint64_t> writes_{0};  ///< number of writes that have ended in this node
    std::atomic<uint64_t> flushed_{0}; ///< the value of writes_ that the last flush covered
};

} // namespace zoneio
