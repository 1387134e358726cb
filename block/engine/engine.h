// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/node/request.h"

#include <cstddef>
#include <functional>
#include <memory>

namespace zoneio {

class TaskScheduler;

/// Does requests while the caller goes on. Used by one thread; requests complete on that thread, in reap().
class IoEngine {
public:
    IoEngine() = default;
    IoEngine(const IoEngine&) = delete;
    IoEngine& operator=(const IoEngine&) = delete;
    /// Requests must not be in flight any more.
    virtual ~IoEngine() = default;

    /// Begins a request. A few may be kept back, to be handed over together; kick() and reap() hand over all of them.
    virtual void submit(Request& request) = 0;
    /// To be called before waiting for anything else than a reap().
    virtual void kick() = 0;
    /// Marks what has finished as done and returns how many that were; with `wait`, at least one of those in flight,
    /// unless all of them are held at breakpoints.
    virtual size_t reap(bool wait) = 0;
    /// Becomes readable when reap() would find something.
    virtual int event_fd() const = 0;
    /// How many requests are in flight.
    virtual size_t in_flight() const = 0;
    /// Do requests end in an order that depends on the caller only? Request::sequence tells it.
    virtual bool orders_completions() const { return false; }
};

/// Does a request here and now, by the blocking methods of the node.
void perform_blocking(BlockNode& root, Request& request);

/// Requests as tasks, for nodes that stop some of them at breakpoints. `on_completion` is called whenever one is done, as
/// TaskScheduler::set_listener says. A request that comes with an error is only brought to its end.
std::unique_ptr<IoEngine> make_task_engine(BlockNode& root, TaskScheduler& tasks, std::function<void()> on_completion);
/// A pool of threads that do blocking requests.
std::unique_ptr<IoEngine> make_thread_engine(BlockNode& root);
/// The kernel's older interface (libaio); what it cannot express goes to threads.
Result<std::unique_ptr<IoEngine>> make_native_engine(BlockNode& root);
/// io_uring; what it cannot express goes to threads.
Result<std::unique_ptr<IoEngine>> make_uring_engine(BlockNode& root);

} // namespace zoneio
