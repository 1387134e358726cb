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

/// A failed request, as the command made it.
struct FailedRequest {
    enum class Kind : uint8_t { range, read, write, discard, flush, truncate, append, report, manage, state };

    Kind kind;           ///< range: check_range() refused it
    ZoneOp op;           ///< of Kind::manage
    uint64_t offset = 0; ///< bytes
    uint64_t bytes = 0;
    Status status;
};

/// The gate between commands and the chain of nodes. It checks ranges and permissions, decides whether writes are forced
/// out, and chooses the engine. Used by one thread.
///
/// In the `threads` mode the calling thread runs synchronous requests itself. In the other modes the engine runs them too.
class BlockBackend {
public:
    /// Opens an image. With `writethrough`, every write is forced to the medium before it is reported.
    static Result<std::unique_ptr<BlockBackend>> open(ImageSpec spec, bool writethrough, std::vector<Notice>& notices);
    /// Resumes requests held at breakpoints, waits for all requests in flight, and closes the chain.
    ~BlockBackend();
    /// Closes `backend` like the destructor, and returns a notice for each flush that failed.
    static std::vector<Notice> close(std::unique_ptr<BlockBackend> backend);
    BlockBackend(const BlockBackend&) = delete;
    BlockBackend& operator=(const BlockBackend&) = delete;

    // Facts about the chain below the backend.

    /// The driver at the top of the chain: the format, or the protocol if the image has no format.
    const DriverInfo& format() const { return root_->info(); }
    const NodeFlags& flags() const { return root_->flags(); }
    /// Permissions that the backend holds, as bits of Permissions.
    unsigned permissions() const { return root_->permissions().taken; }
    /// Details of the image besides the name of its format. ENOTSUP if the driver has none.
    Result<ImageDetails> details() const;
    /// Name of the file or device as it was opened; empty if the image has none.
    std::string filename() const;
    /// Name of the file of the driver `driver`, anywhere in the chain; empty if it has none.
    std::string file_of(std::string_view driver) const;
    /// Names of the drivers of the chain, from top to bottom.
    std::vector<std::string_view> drivers() const;
    /// Engine of asynchronous requests.
    AioMode aio() const { return aio_; }
    /// True when `file` is one of the files of the image.
    bool is_made_of(const struct stat& file) const;
    /// Breakpoints of the uppermost driver that has any; null if no driver has.
    Breakpoints* breakpoints() const { return breakpoints_; }
    /// Puts a mark into each write log of the chain, after all requests that were executed. ENOTSUP: there is none.
    Status mark_logs(std::string_view name);
    const Limits& limits() const { return root_->limits(); }
    bool writethrough() const { return writethrough_; }
    /// Bytes, rounded up to 512.
    Result<uint64_t> length() { return root_->length(); }

    /// Takes a permission that is not held yet.
    Status require(unsigned permission);
    /// Releases permissions.
    void give_up(unsigned permissions);
    /// Reopens the chain, see reopen_image(), after all requests in flight. Requests held at breakpoints are resumed.
    Status reopen(Options options, const NodeFlags& flags, bool writethrough);
    /// The status that a reopen for writing would return. Changes nothing.
    Status check_reopen_writable();
    /// True when `truncate` can make the image `length` bytes long; false if that is unknown.
    bool can_grow_to(uint64_t length) const;

    /// Runs a request while the caller waits, and returns its status. EIO: the range is not within the image; zone_bounds.h
    /// has the rules for zones. ENOTSUP: a zone request to an image without zones. EAGAIN: the request may stop at a
    /// breakpoint, and no thread can be started for it. Zone requests wait for all earlier requests except those held at a
    /// breakpoint.
    Status execute(Request& request);
    Status execute(Request&& request) { return execute(request); }
    /// Starts a request. A refused request is done at once, with its error as status.
    void submit(Request& request);

    /// See BlockDriver::block_status. REQUIRES: `offset` is within the image, and `bytes` > 0.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);

    /// Calls `visit` for up to `count` zones, starting with the zone that contains `offset`. Returns the number of zones.
    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    /// A copy of the zones as they are now, to try requests on. ENOTSUP if the device is not zoned.
    Result<std::unique_ptr<ZoneTrial>> zone_trial();
    /// True when zoneio emulates the zones, in a file or in memory; false for those of a zoned block device.
    bool emulates_zones() const;
    /// Announces that the caller waits for all requests in flight, see BlockDriver::drain.
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
    /// The connections to a server; nothing if the image is not on one.
    std::optional<RemoteConnections> remote_connections() const;
    /// True when requests complete in an order that depends only on the calls of submit() and execute(). Request::sequence
    /// gives the order.
    bool orders_completions() const { return engine_ && engine_->orders_completions(); }
    /// Runs requests in flight one step further. False if none can continue.
    bool step();
    /// Resumes one request held at a breakpoint, because the caller would wait for it for ever.
    void let_held_go();
    /// Sets the listeners of an engine with orders_completions(): `text` receives messages of nodes, `completion` is called
    /// when a request has ended. TaskScheduler::set_listener says on which thread.
    void set_listeners(std::function<void(std::string_view)> text, std::function<void()> completion);
    /// Descriptor that is readable when reap() would find a completion; -1 before the first request.
    int event_fd() const { return engine_ ? engine_->event_fd() : -1; }

    /// EIO if the range is not within the image; EINVAL if the driver does not accept this many buffers.
    Status check_range(uint64_t offset, uint64_t bytes, size_t buffers = 1);
    /// True when a request can be split without a visible difference.
    bool may_split() const;

    /// Notices since the last call.
    std::vector<Notice> take_notices();
    bool has_notices() const { return !notices_.empty() || has_late_notices(); }

    /// The last synchronous request that failed since the last call.
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
    RemoteQueue* remote_queue() const;
    bool hides_zones() const;
    void let_go(const Task* task);
    void run_task(const std::function<void()>& work);

    /// Runs `work`, which may stop at a breakpoint. EAGAIN if no thread can be started for it.
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
    void run_now(Request& request);

    Breakpoints* breakpoints_;
    std::unique_ptr<TaskScheduler> tasks_; ///< null unless requests can stop at breakpoints
    std::unique_ptr<BlockNode> root_;
    AioMode aio_;
    bool writethrough_;
    std::function<void()> on_completion_ = [] {};
    std::unique_ptr<IoEngine> engine_;
    std::vector<Notice> notices_;
    std::optional<FailedRequest> failure_;
};

} // namespace zoneio
