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

    /// Does a request while the caller waits, and returns its status. Ranges are checked first: EIO when one is not within
    /// the image; for those of zones see zone_bounds.h; ENOTSUP for zone requests to what has no zones. These are done after
    /// every request begun before that is not held at a breakpoint. EAGAIN: there is no thread for what may stop.
    Status execute(Request& request);
    Status execute(Request&& request) { return execute(request); }
    /// Begins a request; one that is refused is done at once, with its errno.
    void submit(Request& request);

    /// `offset` is within the image, `bytes` > 0.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);

    /// Calls `visit` for up to `count` zones from the one that holds `offset`; returns how many there were.
    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    /// A copy of the zones as they are now, to try requests on. ENOTSUP when the device is not zoned.
    Result<std::unique_ptr<ZoneTrial>> zone_trial();
    /// Are the zones this program's own, kept in a file or in memory, not those of a zoned block device?
    bool emulates_zones() const;
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
    Status check_range(uint64_t offset, uint64_t bytes, size_t buffers = 1);
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

    Status check_bounds(uint64_t offset, uint64_t bytes, size_t buffers = 1) const;
    Status check(const Request& request);
    void trace(const Request& request);
    Status check_append(uint64_t offset, std::span<const uint64_t> lengths);
    Status check_zone_command(uint64_t offset, uint64_t bytes);
    void finish_all();
    void settle();
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
    WriteFlags write_flags(WriteFlags flags) const;
    IoEngine& engine();
    Status do_vmstate(const Request& request);
    void note_failure(const Request& request);
    void keep_order(const Request& request);
    bool waits_in_engine(const Request& request) const;
    void perform(Request& request);

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
