// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/engine/engine.h"

#include <cerrno>
#include <memory>

namespace zoneio {

/// What the engines of the kernel share: requests that they cannot express go to threads, and waiting for
/// both at once.
class KernelEngine : public IoEngine {
public:
    explicit KernelEngine(BlockNode& root) : root_(root) {}

    void submit(Request& request) final;
    void kick() final;
    size_t reap(bool wait) final;
    int event_fd() const final;
    size_t in_flight() const final { return in_kernel() + (threads_ ? threads_->in_flight() : 0); }

protected:
    /// Begins a request of the kernel's kind.
    virtual void submit_io(Request& request, const FdIo& io) = 0;
    /// Hands over what submit_io has kept back.
    virtual void kick_kernel() = 0;
    /// Hands over what was kept back, and finishes what the kernel has done; with `wait`, waits for at least one first.
    virtual size_t reap_kernel(bool wait) = 0;
    /// A descriptor that is readable when there is something for reap_kernel.
    virtual int kernel_fd() const = 0;
    /// Requests submitted by submit_io and not yet finished.
    virtual size_t in_kernel() const = 0;

    /// Is a request that failed like this to be done over again in a thread? One that was interrupted is; and where the
    /// kernel misses space, a driver tells a full disk from one that was removed.
    static bool is_redone_after(int error) { return error == EAGAIN || error == EINTR || error == ENOSPC; }
    /// Marks a request as done.
    void finish(Request& request, int error);
    /// Does a request over again in a thread: after a short transfer, or one that the kernel would not queue.
    void redo_in_thread(Request& request);

    BlockNode& root() { return root_; }

private:
    BlockNode& root_;
    std::unique_ptr<IoEngine> threads_;
    mutable FileDescriptor epoll_;
};

} // namespace zoneio
