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

/// A node of the chain: a driver, with what is the same for every driver.
///
/// Pads requests to the driver's alignment (reading what a partial block held before), cuts them to its
/// limits, writes zeros where it has no better way, forces out what must be forced out, remembers whether
/// there is anything to flush, and tells a driver that injects faults how far requests have come. Callers have
/// checked ranges. Data methods may be called from several threads.
class BlockNode {
public:
    BlockNode(const DriverInfo& info, std::unique_ptr<BlockDriver> driver, NodeFlags flags, std::string name,
              std::string filename);
    /// Flushes what was not flushed. See tell_when_closed() for errors.
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
    /// Does the file name say all that makes the node what it is?
    bool has_plain_name() const;
    /// The file name where that is plain, else `json:` and all of it.
    std::string shown_name() const;
    /// What makes the node what it is, as a JSON object.
    std::string to_json() const;
    /// The options it was opened with, without its child's.
    const Options& options() const { return options_; }
    void set_options(Options options) { options_ = std::move(options); }
    /// For reopen, which has made sure that the driver agrees.
    void set_flags(const NodeFlags& flags) { flags_ = flags; }
    /// From now on reads copy what comes from below the driver into it. Before there are any requests.
    void copy_on_read() { flags_.copy_on_read = true; }

    Status preadv(uint64_t offset, const IoVec& iov);
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status pdiscard(uint64_t offset, uint64_t bytes);
    Status flush();
    Status truncate(uint64_t size, PreallocMode mode);
    /// As BlockDriver::block_status; no bytes at the end of the image.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);
    /// Bytes, rounded up to 512: the unit that images are measured in.
    Result<uint64_t> length();

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes);
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state);

    /// As NativeFile::native_io, when this node has nothing to add to the request. What keeps others out of its
    /// range meanwhile is added to the request's holds, also when the answer is no.
    std::optional<FdIo> native_io(Request& request, uint64_t offset);
    /// A request done by native_io has written something, here and below.
    void note_native_write();
    /// Makes the next flush reach the driver where the driver has found something to flush. For reopens.
    void take_over_unflushed();
    /// The sync behind one failed.
    void note_sync_error(int error);

    /// A request passes a point that rules and breakpoints may be tied to. See Breakpoints::debug_event.
    void raise(DebugEvent event) {
        if (breakpoints_ != nullptr) {
            breakpoints_->debug_event(event);
        }
    }
    /// False only while the nodes above are being closed, and no driver there writes to this node any more.
    bool is_written() const { return written_; }
    /// Flushes that fail when this node and those below are closed are told to `notices`. For the root of a chain, when
    /// it is about to be closed.
    void tell_when_closed(std::vector<Notice>& notices) { tell_when_closed(notices, false); }
    /// Has something been written here since the last flush?
    bool is_dirty() const { return writes_.load(std::memory_order_acquire) != flushed_.load(std::memory_order_acquire); }

    Status set_permissions(const Permissions& permissions);
    const Permissions& permissions() const { return permissions_; }
    /// One who writes but must not resize needs an image of whole blocks: padding must not make it grow.
    Status check_whole_blocks(const Permissions& permissions);

private:
    struct Padding {
        uint64_t head = 0; ///< bytes between the block's begin and the request
        uint64_t tail = 0; ///< bytes between the request and the block's end
        uint64_t begin = 0;
        uint64_t end = 0;
        bool needed() const { return head != 0 || tail != 0; }
    };

    /// The partial blocks at the ends of a write, as they were before.
    struct Edges {
        AlignedBuffer memory;
        uint8_t* first = nullptr; ///< the block at Padding::begin
        uint8_t* last = nullptr;  ///< the block before Padding::end
        bool merged = false;      ///< all of the padded range is there, in one piece
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
    /// Write permission without the one to resize.
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
    const bool has_events_;          ///< this driver or one below stops requests
    bool written_ = true;
    bool below_format_ = false; ///< one above is no protocol; known when close_notices_ is
    std::vector<Notice>* close_notices_ = nullptr;
    Task* flushing_ = nullptr;
    std::vector<Task*> flush_waiters_;

    RequestTracker tracker_;
    std::atomic<uint64_t> writes_{0};  ///< how many writes ended here
    std::atomic<uint64_t> flushed_{0}; ///< the value of writes_ that the last flush covered
};

} // namespace zoneio
