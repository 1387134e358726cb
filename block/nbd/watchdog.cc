// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/watchdog.h"

#include "block/base/worker_thread.h"

#include <sys/socket.h>

namespace zoneio {

NbdWatchdog::NbdWatchdog(int fd, const NbdDeadline& deadline) : fd_(fd), deadline_(deadline) {
    // On behalf of the thread that waits: only the main thread is interrupted by the user.
    const bool is_main_thread = std::this_thread::get_id() == interrupt_watch.main_thread;
    try {
        thread_ = start_worker([this, is_main_thread] { watch(is_main_thread); });
    } catch (const std::system_error&) {
        return; // the library's own time limit is left
    }
}

NbdWatchdog::~NbdWatchdog() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
}

Status NbdWatchdog::status() {
    const std::lock_guard lock(mutex_);
    return error_ == 0 ? Status() : Status::from_errno(error_);
}

void NbdWatchdog::watch(bool is_main_thread) {
    constexpr std::chrono::milliseconds interval(50);
    std::unique_lock lock(mutex_);
    while (!ended_) {
        const bool interrupted = deadline_.is_interrupted() ||
                                 (is_main_thread && interrupt_watch.check != nullptr && interrupt_watch.check());
        if (interrupted || deadline_.is_over()) {
            error_ = interrupted ? EINTR : ETIMEDOUT;
            (void)shutdown(fd_, SHUT_RDWR);
            return;
        }
        changed_.wait_for(lock, interval);
    }
}

} // namespace zoneio
