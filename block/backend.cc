// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/backend.h"

#include "block/base/size.h"
#include "block/node/zone_bounds.h"
#include "block/overlay/open.h"
#include "block/trace/trace.h"

#include <cstdlib>
#include <fmt/format.h>
#include <numeric>

namespace zoneio {

Result<std::unique_ptr<BlockBackend>> BlockBackend::open(ImageSpec spec, bool writethrough,
                                                         std::vector<Notice>& notices) {
    const bool will_write = !spec.flags.read_only;
    std::unique_ptr<BlockNode> root =
        TRY(spec.snapshot ? open_snapshot(std::move(spec), notices) : open_image(std::move(spec), notices));
    TRY(root->set_permissions({.taken = Permissions::consistent_read | (will_write ? Permissions::write : 0U)}));
    return std::unique_ptr<BlockBackend>(new BlockBackend(std::move(root), writethrough));
}

BlockBackend::~BlockBackend() {
    drain(true);
    finish_all();
    drain(false);
}

std::vector<Notice> BlockBackend::take_notices() {
    std::vector<Notice> notices = std::exchange(notices_, {});
    for (Notice& notice : take_late_notices()) {
        notices.push_back(std::move(notice));
    }
    return notices;
}

std::vector<Notice> BlockBackend::close(std::unique_ptr<BlockBackend> backend) {
    std::vector<Notice> notices = backend->take_notices();
    backend->root_->tell_when_closed(notices);
    backend.reset();
    return notices;
}

void BlockBackend::finish_all() {
    while (in_flight() > 0) {
        if (reap(true) == 0) {
            let_held_go();
        }
    }
}

/// Waits for all requests that can continue without a resume.
void BlockBackend::settle() {
    while (in_flight() > 0 && reap(true) > 0) {
    }
}

bool BlockBackend::step() {
    return tasks_ ? tasks_->step() : in_flight() > 0 && reap(true) > 0;
}

void BlockBackend::let_held_go() {
    let_go(nullptr);
}

Breakpoints* BlockBackend::first_breakpoints(const BlockNode& root) {
    for (const BlockNode* node = &root; node != nullptr; node = node->child()) {
        if (Breakpoints* const found = node->extras().breakpoints) {
            return found;
        }
    }
    return nullptr;
}

/// Resumes the held request that `task` waits for, directly or not; the newest held one if `task` is null.
void BlockBackend::let_go(const Task* task) {
    while (task != nullptr && task->awaited() != nullptr) {
        task = task->awaited();
    }
    std::optional<std::string> tag;
    for (BlockNode* node = root_.get(); node != nullptr && !tag; node = node->driver().child()) {
        if (Breakpoints* const held = node->driver().extras().breakpoints) {
            tag = held->release(task);
        }
    }
    if (!tag) {
        // Only breakpoints, and requests that wait for held ones, can stop a request.
        std::abort();
    }
    notices_.push_back({false, fmt::format("request '{}' is resumed, because no command can resume it any more", *tag)});
}

/// Runs work as a task and waits for its end. Resumes held requests that it would otherwise wait for without end.
void BlockBackend::run_task(const std::function<void()>& work) {
    const Task* task = nullptr;
    bool done = false;
    const bool started = tasks_->start([&] {
        task = Task::current();
        work();
        done = true;
    });
    while (started && !done) {
        if (!tasks_->step()) {
            let_go(task);
        }
    }
}

void BlockBackend::set_listeners(std::function<void(std::string_view)> text, std::function<void()> completion) {
    if (tasks_) {
        tasks_->set_listener(std::move(text));
        on_completion_ = std::move(completion);
    }
}

Status BlockBackend::require(unsigned permission) {
    Permissions wanted = root_->permissions();
    if ((wanted.taken & permission) == permission) {
        return {};
    }
    wanted.taken |= permission;
    return root_->set_permissions(wanted);
}

void BlockBackend::give_up(unsigned permissions) {
    Permissions wanted = root_->permissions();
    wanted.taken &= ~permissions;
    // Releasing permissions cannot conflict with other users.
    (void)root_->set_permissions(wanted);
}

Status BlockBackend::reopen(Options options, const NodeFlags& flags, bool writethrough) {
    finish_all();
    // The engine may use descriptors that are about to be closed.
    engine_.reset();
    TRY(reopen_image(*root_, std::move(options), flags));
    writethrough_ = writethrough;
    return {};
}

Status BlockBackend::check_bounds(uint64_t offset, uint64_t bytes, size_t buffers) const {
    const uint64_t length = TRY(root_->length());
    if (offset > length || bytes > length - offset) {
        return Status::from_errno(EIO, Cause::outside_image);
    }
    for (const BlockNode* node = root_.get(); buffers > 1 && node != nullptr; node = node->child()) {
        if (buffers > node->limits().max_buffers) {
            return Status::from_errno(EINVAL);
        }
    }
    return {};
}

namespace {

FailedRequest::Kind kind_of(const Request& request) {
    using Kind = FailedRequest::Kind;
    switch (request.op) {
    case RequestOp::read: return Kind::read;
    case RequestOp::write:
    case RequestOp::write_zeroes: return Kind::write;
    case RequestOp::discard: return Kind::discard;
    case RequestOp::flush: return Kind::flush;
    case RequestOp::truncate: return Kind::truncate;
    case RequestOp::zone_append: return Kind::append;
    case RequestOp::zone_report: return Kind::report;
    case RequestOp::zone_manage: return Kind::manage;
    case RequestOp::set_zone_state: return Kind::state;
    }
    return Kind::range;
}

} // namespace

/// Records the offset that the user gave: a failed append does not change it.
void BlockBackend::note_failure(const Request& request) {
    // The VM state does not depend on the length of the image.
    if (!(request.flags.vmstate && request.op == RequestOp::read)) {
        failure_ = {kind_of(request), request.zone_op, request.offset, request.bytes, request.status};
    }
}

Status BlockBackend::check_range(uint64_t offset, uint64_t bytes, size_t buffers) {
    Status status = check_bounds(offset, bytes, buffers);
    if (!status.ok()) {
        failure_ = {FailedRequest::Kind::range, {}, offset, bytes, status};
    }
    return status;
}

Status BlockBackend::check(const Request& request) {
    switch (request.op) {
    case RequestOp::zone_append: {
        if (!request.lengths.empty()) {
            return check_append(request.offset, request.lengths);
        }
        std::vector<uint64_t> lengths;
        for (const iovec& segment : request.iov.segments()) {
            lengths.push_back(segment.iov_len);
        }
        return check_append(request.offset, lengths);
    }
    case RequestOp::flush:
    case RequestOp::truncate: return {};
    case RequestOp::zone_report: return limits().zoned == ZonedModel::none ? Status::from_errno(ENOTSUP) : Status();
    case RequestOp::zone_manage:
    case RequestOp::set_zone_state: return check_zone_command(request.offset, request.bytes);
    default: return check_bounds(request.offset, request.bytes, request.buffers);
    }
}

WriteFlags BlockBackend::write_flags(WriteFlags flags) const {
    flags.fua = (flags.fua || writethrough_) && !flags.more;
    return flags;
}

IoEngine& BlockBackend::engine() {
    if (engine_) {
        return *engine_;
    }
    if (tasks_) {
        engine_ = make_task_engine(*root_, *tasks_, [this] { on_completion_(); });
        return *engine_;
    }
    if (RemoteQueue* const queue = remote_queue()) {
        engine_ = make_remote_engine(*root_, *queue);
        return *engine_;
    }
    if (aio_ != AioMode::threads) {
        const bool uring = aio_ == AioMode::io_uring;
        Result<std::unique_ptr<IoEngine>> made = uring ? make_uring_engine(*root_) : make_native_engine(*root_);
        if (made.ok()) {
            engine_ = std::move(*made);
            return *engine_;
        }
        notices_.push_back({false, std::string("Unable to use ") + (uring ? "linux io_uring" : "Linux AIO") +
                                       ", falling back to thread pool: " + made.status().message()});
        aio_ = AioMode::threads;
    }
    engine_ = make_thread_engine(*root_);
    return *engine_;
}

/// The driver in the chain that keeps requests in flight itself; null if there is none.
RemoteQueue* BlockBackend::remote_queue() const {
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        if (RemoteQueue* const queue = node->extras().remote_queue) {
            return queue;
        }
    }
    return nullptr;
}

std::optional<RemoteConnections> BlockBackend::remote_connections() const {
    const RemoteQueue* const queue = remote_queue();
    return queue != nullptr ? std::optional(queue->connections()) : std::nullopt;
}

/// Runs requests to zones in the order in which they were started, so that a write can start at the write pointer that
/// the previous one leaves.
void BlockBackend::keep_order(const Request& request) {
    const bool moves_pointer = request.op == RequestOp::write || request.op == RequestOp::write_zeroes;
    if (request.op >= RequestOp::zone_append || (moves_pointer && limits().zoned != ZonedModel::none)) {
        settle();
    }
}

/// True if the engine runs this synchronous request. In other aio modes than `threads`, that holds for reads and
/// writes, and for zero writes and discards while requests are in flight that only this thread can finish.
bool BlockBackend::waits_in_engine(const Request& request) const {
    switch (request.op) {
    case RequestOp::read:
    case RequestOp::write: return aio_ != AioMode::threads;
    case RequestOp::write_zeroes:
    case RequestOp::discard: return aio_ != AioMode::threads && in_flight() > 0;
    default: return false;
    }
}

void BlockBackend::run_now(Request& request) {
    if (tasks_) {
        request.status = Status::from_errno(EAGAIN);
        run_task([&] { perform_blocking(*root_, request); });
        return;
    }
    if (waits_in_engine(request)) {
        IoEngine& chosen = engine();
        if (aio_ != AioMode::threads) { // still true: the kernel may have had no engine to offer
            chosen.submit(request);
            while (!request.done) {
                chosen.reap(true);
            }
            return;
        }
    }
    perform_blocking(*root_, request);
}

/// Reads or writes the VM state. EIO if the range ends after max_image_length.
Status BlockBackend::do_vmstate(const Request& request) {
    if (request.offset + request.bytes > static_cast<uint64_t>(max_image_length)) {
        return Status::from_errno(EIO);
    }
    VmState* const place = root_->extras().vm_state;
    if (place == nullptr) {
        return Status::from_errno(ENOTSUP);
    }
    return request.op == RequestOp::read ? place->read_vmstate(request.offset, request.iov)
                                         : place->write_vmstate(request.offset, request.iov);
}

Status BlockBackend::execute(Request& request) {
    if (request.flags.vmstate) {
        request.status = do_vmstate(request);
    } else {
        trace(request);
        request.status = check(request);
        if (request.status.ok()) {
            keep_order(request);
            request.flags = write_flags(request.flags);
            run_now(request);
        }
    }
    if (!request.status.ok()) {
        note_failure(request);
    }
    return request.status;
}

Result<BlockExtent> BlockBackend::block_status(uint64_t offset, uint64_t bytes, bool want_zero) {
    return run<Result<BlockExtent>>([&] { return root_->block_status(offset, bytes, want_zero); });
}

Result<uint64_t> BlockBackend::zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    Request request{.op = RequestOp::zone_report, .offset = offset, .zone_count = count, .visit = visit};
    TRY(execute(request));
    return request.zone_count;
}

Status BlockBackend::check_zone_command(uint64_t offset, uint64_t bytes) {
    TRY(check_bounds(offset, bytes));
    if (limits().zoned == ZonedModel::none) {
        return Status::from_errno(ENOTSUP);
    }
    return check_zone_range(limits(), TRY(root_->length()), offset, bytes);
}

Status BlockBackend::check_append(uint64_t offset, std::span<const uint64_t> lengths) {
    const uint64_t bytes = std::accumulate(lengths.begin(), lengths.end(), uint64_t{0});
    if (offset > static_cast<uint64_t>(max_image_length) - bytes) {
        return Status::from_errno(EIO);
    }
    if (limits().zoned == ZonedModel::none) {
        return Status::from_errno(ENOTSUP);
    }
    return check_zone_append(limits(), TRY(root_->length()), offset, lengths);
}

void BlockBackend::trace(const Request& request) {
    if (trace_mask.load(std::memory_order_relaxed) == 0) {
        return;
    }
    const unsigned flags = request.flags.bits();
    switch (request.op) {
    case RequestOp::read: trace_blk_co_preadv(this, &root_->driver(), request.offset, request.bytes, 0); break;
    case RequestOp::write: trace_blk_co_pwritev(this, &root_->driver(), request.offset, request.bytes, flags); break;
    case RequestOp::write_zeroes:
        trace_blk_co_pwritev(this, &root_->driver(), request.offset, request.bytes, flags | WriteFlags::zero_write_bit);
        break;
    default: break;
    }
}

void BlockBackend::submit(Request& request) {
    trace(request);
    request.status = check(request);
    request.done = !request.status.ok() && tasks_ == nullptr;
    if (request.done) {
        return;
    }
    request.flags = write_flags(request.flags);
    IoEngine& chosen = engine();
    chosen.submit(request);
    while (chosen.is_crowded()) {
        chosen.reap(true);
    }
}

size_t BlockBackend::reap(bool wait) {
    return engine_ ? engine_->reap(wait) : 0;
}

bool BlockBackend::may_split() const {
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        if (node->limits().zoned != ZonedModel::none || node->counts_requests()) {
            return false;
        }
    }
    return true;
}

} // namespace zoneio
