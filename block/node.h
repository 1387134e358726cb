// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/driver.h"

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace zoneio {

/// Keeps a read-modify-write from mixing with requests that overlap it.
///
/// Requests wait for earlier ones that they overlap when either of the two is exclusive; as everybody waits
/// for earlier ones only, nobody waits in a circle.
class RequestTracker {
public:
    class Ticket : public RequestHold {
    public:
        /// Waits for its turn.
        Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive);
        ~Ticket() override;
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;

        /// A ticket for a request that nobody waits in; null when it would have to wait.
        static std::unique_ptr<Ticket> without_waiting(RequestTracker& tracker, uint64_t begin, uint64_t end);

    private:
        Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive, std::unique_lock<std::mutex>& lock);
        bool must_wait() const;

        RequestTracker& tracker_;
        uint64_t begin_;
        uint64_t end_;
        bool exclusive_;
        std::list<Ticket*>::iterator position_;
    };

private:
    std::mutex mutex_;
    std::condition_variable released_;
    std::list<Ticket*> in_flight_; ///< oldest first
};

/// A node of the chain: a driver, with what is the same for every driver.
///
/// Pads requests to the driver's alignment (reading what a partial block held before), cuts them to its
/// limits, writes zeros where it has no better way, forces out what must be forced out, and remembers whether
/// there is anything to flush. Callers have checked ranges. Data methods may be called from several threads.
class BlockNode {
public:
    BlockNode(const DriverInfo& info, std::unique_ptr<BlockDriver> driver, NodeFlags flags, std::string name,
              std::string filename);
    /// Flushes what was not flushed.
    ~BlockNode();
    BlockNode(const BlockNode&) = delete;
    BlockNode& operator=(const BlockNode&) = delete;

    const DriverInfo& info() const { return info_; }
    BlockDriver& driver() { return *driver_; }
    const BlockNode* child() const { return driver_->child(); }
    /// See BlockDriver::counts_requests.
    bool counts_requests() const { return driver_->counts_requests(); }
    const NodeFlags& flags() const { return flags_; }
    const Limits& limits() const { return driver_->limits(); }
    const std::string& name() const { return name_; }
    const std::string& filename() const { return filename_; }
    /// The options it was opened with, without its child's.
    const Options& options() const { return options_; }
    void set_options(Options options) { options_ = std::move(options); }
    /// For reopen, which has made sure that the driver agrees.
    void set_flags(const NodeFlags& flags) { flags_ = flags; }

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

    /// As BlockDriver::native_io, when this node has nothing to add to the request. What keeps others out of its
    /// range meanwhile is added to the request's holds, also when the answer is no.
    std::optional<FdIo> native_io(Request& request, uint64_t offset);
    /// A request done by native_io has written something, here and below.
    void note_native_write();
    /// The sync behind one failed.
    void note_sync_error(int error);

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

    Padding padding(uint64_t offset, uint64_t bytes) const;
    bool needs_tracking() const { return limits().request_alignment > 1; }
    void mark_written() { writes_.fetch_add(1, std::memory_order_release); }
    Status finish_write(Status status, WriteFlags flags);

    Status read_aligned(uint64_t offset, const IoVec& iov);
    Status write_aligned(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status write_split(uint64_t offset, const IoVec& iov);
    Status write_padded(const IoVec& iov, const Padding& pad);
    Status zero_aligned(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status zero_by_writing(uint64_t offset, uint64_t bytes);
    uint64_t transfer_limit() const;

    const DriverInfo& info_;
    std::unique_ptr<BlockDriver> driver_;
    NodeFlags flags_;
    std::string name_;
    std::string filename_;
    Options options_;
    Permissions permissions_;

    RequestTracker tracker_;
    std::atomic<uint64_t> writes_{0};  ///< how many writes ended here
    std::atomic<uint64_t> flushed_{0}; ///< the value of writes_ that the last flush covered
};

} // namespace zoneio
