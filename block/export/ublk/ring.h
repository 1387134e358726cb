// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <functional>
#include <liburing.h>

namespace zoneio {

/// An io_uring for commands to a device (IORING_OP_URING_CMD). For one thread, which ublk regards as the server.
class UblkRing {
public:
    UblkRing() = default;
    UblkRing(const UblkRing&) = delete;
    UblkRing& operator=(const UblkRing&) = delete;
    ~UblkRing();

    /// Creates a ring for `entries` commands in flight.
    Status open(unsigned entries);
    bool is_open() const { return is_open_; }
    /// Readable when there are completions.
    int fd() const { return ring_.ring_fd; }

    /// Queues a command of at most 80 bytes. Its completion has the same `user_data`.
    void command(int fd, uint32_t code, const void* payload, size_t bytes, uint64_t user_data);
    /// Queues a wait until `fd` is readable.
    void wait_readable(int fd, uint64_t user_data);
    /// Submits the queued commands.
    void submit();
    /// Submits the queued commands and waits for a completion, a signal, or the given number of milliseconds (-1:
    /// without limit).
    void wait(int timeout_ms);
    /// Calls `visit` with user data and result of each available completion. False if there was none.
    bool for_each_completion(const std::function<void(uint64_t, int32_t)>& visit);

private:
    io_uring_sqe* next_entry();

    io_uring ring_{};
    bool is_open_ = false;
};

} // namespace zoneio
