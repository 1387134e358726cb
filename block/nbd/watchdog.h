// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/nbd/socket.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace zoneio {

/// Shuts a socket down at a deadline or an interrupt, while a library waits for data on it: GnuTLS does not return before the end
/// of its handshake.
class NbdWatchdog {
public:
    /// The socket must stay open as long as the object exists.
    NbdWatchdog(int fd, const NbdDeadline& deadline);
    ~NbdWatchdog();
    NbdWatchdog(const NbdWatchdog&) = delete;
    NbdWatchdog& operator=(const NbdWatchdog&) = delete;

    /// ETIMEDOUT or EINTR if the socket was shut down, for that reason.
    Status status();

private:
    void watch(bool is_main_thread);

    const int fd_;
    const NbdDeadline deadline_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    int error_ = 0;
    std::thread thread_;
};

} // namespace zoneio
