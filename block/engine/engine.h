// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/node/request.h"

#include <cstddef>
#include <functional>
#include <memory>

namespace zoneio {

class TaskScheduler;

/// Runs requests asynchronously. Used by one thread; requests complete on that thread, in reap().
class IoEngine {
public:
    IoEngine() = default;
    IoEngine(const IoEngine&) = delete;
    IoEngine& operator=(const IoEngine&) = delete;
    /// REQUIRES: no request in flight.
    virtual ~IoEngine() = default;

    /// Starts a request. The engine may delay it to submit a batch; kick() and reap() submit the pending batch.
    virtual void submit(Request& request) = 0;
    /// Submits the pending batch. Call it before waiting for anything except reap().
    virtual void kick() = 0;
    /// Marks finished requests as done and returns their number. With `wait`, waits for at least one request, unless all
    /// requests in flight are held at breakpoints.
    virtual size_t reap(bool wait) = 0;
    /// Descriptor that is readable when reap() would find a completion.
    virtual int event_fd() const = 0;
    /// Number of requests in flight.
    virtual size_t in_flight() const = 0;
    /// True if so many requests wait for others that the caller of submit() should call reap(true) first.
    virtual bool is_crowded() const { return false; }
    /// True if a request would not begin before others in flight have ended, because it overlaps one that covers a part of a
    /// block.
    virtual bool must_wait(const Request& /*request*/) { return false; }
    /// True when the order of completions depends on the caller only. Request::sequence gives the order.
    virtual bool orders_completions() const { return false; }
};

/// Runs a request on the calling thread, by the blocking methods of the node.
void perform_blocking(BlockNode& root, Request& request);

/// An engine that runs requests as tasks, for chains with breakpoints. `on_completion` is called when a request is done, see
/// TaskScheduler::set_listener. A request whose status is already an error completes with that error.
std::unique_ptr<IoEngine> make_task_engine(BlockNode& root, TaskScheduler& tasks, std::function<void()> on_completion);
/// An engine with a pool of threads that run blocking requests.
std::unique_ptr<IoEngine> make_thread_engine(BlockNode& root);
/// An engine on libaio. Requests that libaio cannot express go to threads.
Result<std::unique_ptr<IoEngine>> make_native_engine(BlockNode& root);
/// An engine on a driver that keeps requests in flight itself. Requests that the driver does not take go to threads.
std::unique_ptr<IoEngine> make_remote_engine(BlockNode& root, RemoteQueue& queue);
/// An engine on io_uring. Requests that io_uring cannot express go to threads.
Result<std::unique_ptr<IoEngine>> make_uring_engine(BlockNode& root);

} // namespace zoneio
