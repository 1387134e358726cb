// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/kernel.h"

#include <poll.h>
#include <sys/epoll.h>

namespace zoneio {

namespace {

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    // Registering a descriptor twice fails, which does no harm.
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

} // namespace

void KernelEngine::submit(Request& request) {
    const bool must_wait = threads_ && threads_->must_wait(request);
    if (const std::optional<FdIo> io = must_wait ? std::nullopt : root_.native_io(request, request.offset)) {
        submit_io(request, *io);
    } else {
        redo_in_thread(request);
    }
}

void KernelEngine::kick() {
    kick_kernel();
    if (threads_) {
        threads_->kick();
    }
}

void KernelEngine::redo_in_thread(Request& request) {
    // It keeps its holds: later requests that overlap it have to go on waiting for it.
    if (!threads_) {
        threads_ = make_thread_engine(root_);
        if (epoll_.valid()) {
            watch(epoll_.get(), threads_->event_fd());
        }
    }
    threads_->submit(request);
}

void KernelEngine::finish(Request& request, int error) {
    request.holds.clear();
    if (request.op == RequestOp::write) {
        root_.note_native_write();
    }
    request.status = error == 0 ? Status() : Status::from_errno(error, Cause::file_error);
    request.finished = std::chrono::steady_clock::now();
    request.done = true;
}

size_t KernelEngine::reap(bool wait) {
    while (true) {
        const size_t threads_busy = threads_ ? threads_->in_flight() : 0;
        const bool only_kernel = threads_busy == 0 && in_kernel() > 0;
        size_t count = reap_kernel(wait && only_kernel);
        if (threads_busy > 0) {
            count += threads_->reap(wait && count == 0 && in_kernel() == 0);
        }
        if (count > 0 || !wait || in_flight() == 0) {
            return count;
        }
        pollfd fds[] = {{kernel_fd(), POLLIN, 0}, {threads_ ? threads_->event_fd() : -1, POLLIN, 0}};
        if (in_kernel() > 0 && threads_ && threads_->in_flight() > 0) {
            (void)poll(fds, 2, -1);
        }
    }
}

int KernelEngine::event_fd() const {
    if (!epoll_.valid()) {
        epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
        watch(epoll_.get(), kernel_fd());
        if (threads_) {
            watch(epoll_.get(), threads_->event_fd());
        }
    }
    return epoll_.get();
}

} // namespace zoneio
