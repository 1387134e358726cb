// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/engine/event.h"
#include "block/engine/engine.h"

#include <cerrno>
#include <memory>

namespace zoneio {

/// Common part of the engines on kernel interfaces: passes requests that the kernel interface cannot express to
/// threads, and waits for both.
class KernelEngine : public IoEngine {
public:
    explicit KernelEngine(BlockNode& root) : root_(root) {}

    void submit(Request& request) final;
    void kick() final;
    size_t reap(bool wait) final;
    int event_fd() const final;
    bool is_crowded() const final { return threads_ && threads_->is_crowded(); }
    size_t in_flight() const final { return in_kernel() + (threads_ ? threads_->in_flight() : 0); }

protected:
    /// Starts a request that the kernel interface can express.
    virtual void submit_io(Request& request, const FdIo& io) = 0;
    /// Submits the requests that submit_io() has queued.
    virtual void kick_kernel() = 0;
    /// Submits queued requests and finishes those that the kernel has completed. With `wait`, waits for at least one.
    virtual size_t reap_kernel(bool wait) = 0;
    /// Descriptor that is readable when reap_kernel() would find a completion.
    virtual int kernel_fd() const = 0;
    /// Number of requests that submit_io() has started and that are not finished.
    virtual size_t in_kernel() const = 0;

    /// True if a request that failed with this error is repeated in a thread: after an interrupted call, and after
    /// ENOSPC, because the driver can distinguish a full disk from a removed one.
    static bool is_redone_after(int error) { return error == EAGAIN || error == EINTR || error == ENOSPC; }
    /// Marks a request as done.
    void finish(Request& request, int error);
    /// Repeats a request in a thread, after a short transfer or if the kernel did not queue it.
    void redo_in_thread(Request& request);

    BlockNode& root() { return root_; }

private:
    BlockNode& root_;
    std::unique_ptr<IoEngine> threads_;
    mutable FileDescriptor epoll_;
};

} // namespace zoneio
