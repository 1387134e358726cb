// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/notice.h"
#include "block/base/task.h"
#include "block/chain/open.h"
#include "block/engine/engine.h"
#include "block/zoned/trial.h"

#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace zoneio {

class BackendPort;

/// A request that failed, as it came to the gate.
struct FailedRequest {
    enum class Kind : uint8_t { range, read, write, discard, flush, truncate, append, report, manage, condition };

    Kind kind;           ///< range: it was looked at only, by check_range
    ZoneOp op;           ///< of Kind::manage
    uint64_t offset = 0; ///< bytes
    uint64_t bytes = 0;
    Status status;
};

/// The gate between commands and the chain of nodes: checks ranges and permissions, decides whether writes are
/// forced out, and chooses the engine. Used by one thread.
///
/// With the `threads` mode synchronous requests are done on the spot; the other modes carry them too.
class BlockBackend {
public:
    /// Opens an image. With `writethrough`, writes are forced out before they are reported.
    static Result<std::unique_ptr<BlockBackend>> open(ImageSpec spec, bool writethrough, std::vector<Notice>& notices);
    /// Waits for requests in flight, then closes the chain. Requests held at breakpoints go on.
    ~BlockBackend();
    /// The same, and tells of what could not be flushed any more.
    static std::vector<Notice> close(std::unique_ptr<BlockBackend> backend);
    BlockBackend(const BlockBackend&) = delete;
    BlockBackend& operator=(const BlockBackend&) = delete;

    // What commands ask about the chain behind the gate.

    /// The driver at the top: the format, or the protocol where there is none.
    const DriverInfo& format() const { return root_->info(); }
    const NodeFlags& flags() const { return root_->flags(); }
    /// Those that are taken.
    unsigned permissions() const { return root_->permissions().taken; }
    /// What there is to tell beside the format's name; ENOTSUP where a driver has nothing.
    Result<ImageDetails> details() const;
    /// The name of the file or device, as it was opened; empty where there is none.
    std::string filename() const;
    /// The file that a driver of this name keeps, wherever in the chain it is; empty where there is none.
    std::string file_of(std::string_view driver) const;
    /// Is this file one of those that the image is made of?
    bool is_made_of(const struct stat& file) const;
    /// Of the uppermost driver that stops requests; null: there is none.
    Breakpoints* breakpoints() const { return breakpoints_; }
    const Limits& limits() const { return root_->limits(); }
    bool writethrough() const { return writethrough_; }
    /// Bytes, rounded up to 512.
    Result<uint64_t> length() { return root_->length(); }

    /// Takes a permission that is not held yet.
    Status require(unsigned permission);
    /// Gives permissions up.
    void give_up(unsigned permissions);
    /// Reopens the chain, see reopen_image(). Requests in flight are waited for; those held at breakpoints go on.
    Status reopen(Options options, const NodeFlags& flags, bool writethrough);
    /// Could the chain be made writable by a reopen? The answer is what that would be; nothing is changed.
    Status check_reopen_writable();
    /// Could `truncate` make the image so long, in bytes? False where that cannot be known.
    bool can_grow_to(uint64_t length) const;

    Status read(uint64_t offset, const IoVec& iov) {
        return noted(Kind::read, offset, iov.bytes(), do_read(offset, iov));
    }
    Status write(uint64_t offset, const IoVec& iov, WriteFlags flags) {
        return noted(Kind::write, offset, iov.bytes(), do_write(offset, iov, flags));
    }
    /// Reads the VM state: EIO beyond the largest length of an image, else as VmState::read_vmstate.
    Status read_vmstate(uint64_t offset, const IoVec& iov);
    Status write_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
        return noted(Kind::write, offset, bytes, do_write_zeroes(offset, bytes, flags));
    }
    Status discard(uint64_t offset, uint64_t bytes) {
        return noted(Kind::discard, offset, bytes, do_discard(offset, bytes));
    }
    Status flush() {
        return noted(Kind::flush, 0, 0, do_flush());
    }
    Status truncate(uint64_t size, PreallocMode mode) {
        return noted(Kind::truncate, size, 0, do_truncate(size, mode));
    }
    /// `offset` is within the image, `bytes` > 0.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);

    /// The zone commands are done after every request begun before that is not held at a breakpoint. ENOTSUP when the
    /// device is not zoned; for ranges and alignment see zone_bounds.h.
    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
        return noted(Kind::report, offset, 0, do_zone_report(offset, count, visit));
    }
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
        return noted(Kind::manage, offset, bytes, do_zone_mgmt(op, offset, bytes), op);
    }
    /// `lengths` are those of the caller's vector, which `iov` may hold in other pieces.
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, std::span<const uint64_t> lengths) {
        return noted(Kind::append, offset, iov.bytes(), do_zone_append(offset, iov, lengths));
    }
    /// A copy of the zones as they are now, to try requests on. ENOTSUP when the device is not zoned.
    Result<std::unique_ptr<ZoneTrial>> zone_trial();
    /// Are the zones this program's own, kept in a file or in memory, not those of a zoned block device?
    bool emulates_zones() const;
    /// See ZoneOperations::set_zone_condition.
    Status set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) {
        return noted(Kind::condition, offset, bytes, do_set_zone_condition(offset, bytes, state));
    }

    /// Begins a request; one that is refused is done at once, with its errno.
    void submit(Request& request);
    /// Everything under way is about to be waited for, or no longer: see BlockDriver::drain.
    void drain(bool on) { root_->driver().drain(on); }
    /// See IoEngine::kick.
    void kick() {
        if (engine_) {
            engine_->kick();
        }
    }
    /// See IoEngine::reap.
    size_t reap(bool wait);
    size_t in_flight() const { return engine_ ? engine_->in_flight() : 0; }
    /// Do requests end in the order of their Request::sequence, whatever the machine does?
    bool orders_completions() const { return engine_ && engine_->orders_completions(); }
    /// Brings requests in flight a bit further; false when none can go on.
    bool step();
    /// Lets one request that is held at a breakpoint go on, since somebody waits who would wait for ever.
    void let_held_go();
    /// Where orders_completions(): `text` is told what nodes have to say while they work, `completion` that a request is
    /// done; as TaskScheduler::set_listener says.
    void set_listeners(std::function<void(std::string_view)> text, std::function<void()> completion);
    /// Readable when reap() would find something; -1 while no request was ever submitted.
    int event_fd() const { return engine_ ? engine_->event_fd() : -1; }

    /// EIO when a range is not within the image; EINVAL when so many buffers are more than its driver takes.
    Status check_range(uint64_t offset, uint64_t bytes, size_t buffers = 1) {
        return noted(Kind::range, offset, bytes, do_check_range(offset, bytes, buffers));
    }
    /// May one request be done as several smaller ones, without anybody seeing the difference?
    bool may_split() const;

    /// What there was to tell since the last call.
    std::vector<Notice> take_notices();
    bool has_notices() const { return !notices_.empty() || has_late_notices(); }

    /// The last request that failed since it was last taken; asynchronous ones are not counted.
    std::optional<FailedRequest> take_failure() { return std::exchange(failure_, std::nullopt); }

private:
    using Kind = FailedRequest::Kind;
    friend class BackendPort;

    BlockBackend(std::unique_ptr<BlockNode> root, bool writethrough)
        : breakpoints_(first_breakpoints(*root)),
          tasks_(breakpoints_ != nullptr ? std::make_unique<TaskScheduler>() : nullptr), root_(std::move(root)),
          aio_(root_->driver().traits().aio), writethrough_(writethrough) {}
    static Breakpoints* first_breakpoints(const BlockNode& root);

    /// Passes an outcome on, keeping in mind what failed.
    Status noted(Kind kind, uint64_t offset, uint64_t bytes, Status status, ZoneOp op = {}) {
        if (!status.ok()) {
            failure_ = {kind, op, offset, bytes, status};
        }
        return status;
    }
    Result<uint64_t> noted(Kind kind, uint64_t offset, uint64_t bytes, Result<uint64_t> result) {
        if (!result.ok()) {
            failure_ = {kind, {}, offset, bytes, result.status()};
        }
        return result;
    }
    Status do_read(uint64_t offset, const IoVec& iov);
    Status do_write(uint64_t offset, const IoVec& iov, WriteFlags flags);
    Status do_write_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status do_discard(uint64_t offset, uint64_t bytes);
    Status do_flush();
    Status do_truncate(uint64_t size, PreallocMode mode);
    Result<uint64_t> do_zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    Status do_zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes);
    Result<uint64_t> do_zone_append(uint64_t offset, const IoVec& iov, std::span<const uint64_t> lengths);
    Status do_set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state);
    Status do_check_range(uint64_t offset, uint64_t bytes, size_t buffers = 1);

    Status check(const Request& request);
    static Status check_vmstate(uint64_t offset, uint64_t bytes);
    void trace(const Request& request);
    Status check_append(uint64_t offset, std::span<const uint64_t> lengths);
    Status check_zone_command(uint64_t offset, uint64_t bytes);
    void finish_all();
    void settle();
    void keep_zone_order();
    bool hides_zones() const;
    void let_go(const Task* task);
    void run_task(const std::function<void()>& work);

    /// Does something that may stop at a breakpoint; EAGAIN where there is no thread for it.
    template <typename T, typename Work>
    T run(Work work) {
        if (tasks_ == nullptr) {
            return work();
        }
        T result = Status::from_errno(EAGAIN);
        run_task([&] {
            try {
                result = work();
            } catch (const std::bad_alloc&) {
                result = Status::from_errno(ENOMEM);
            }
        });
        return result;
    }
    /// Are synchronous requests done at once, on this thread?
    bool is_direct() const { return aio_ == AioMode::threads && tasks_ == nullptr; }
    WriteFlags write_flags(WriteFlags flags) const;
    IoEngine& engine();
    /// May this thread wait inside a node? Not while the kernel has requests that only it can finish.
    bool may_block() const { return tasks_ == nullptr && (aio_ == AioMode::threads || in_flight() == 0); }
    Status perform(Request& request);

    Breakpoints* breakpoints_;
    std::unique_ptr<TaskScheduler> tasks_; ///< where requests may stop at breakpoints
    std::unique_ptr<BlockNode> root_;
    AioMode aio_;
    bool writethrough_;
    std::function<void()> on_completion_ = [] {};
    std::unique_ptr<IoEngine> engine_;
    std::vector<Notice> notices_;
    std::optional<FailedRequest> failure_;
};

} // namespace zoneio
