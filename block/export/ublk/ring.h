// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <functional>
#include <liburing.h>

namespace zoneio {

/// An io_uring for commands to a device (IORING_OP_URING_CMD). Used by one thread, which ublk takes for the server.
class UblkRing {
public:
    UblkRing() = default;
    UblkRing(const UblkRing&) = delete;
    UblkRing& operator=(const UblkRing&) = delete;
    ~UblkRing();

    /// Room for `entries` commands under way.
    Status open(unsigned entries);
    bool is_open() const { return is_open_; }
    /// Readable when there are completions.
    int fd() const { return ring_.ring_fd; }

    /// Prepares a command of at most 80 bytes; `user_data` comes back with its completion.
    void command(int fd, uint32_t code, const void* payload, size_t bytes, uint64_t user_data);
    /// Prepares a wait until `fd` is readable.
    void wait_readable(int fd, uint64_t user_data);
    /// Hands over what was prepared.
    void submit();
    /// Likewise, and returns when there is a completion, a signal came, or so many milliseconds are over (-1: without end).
    void wait(int timeout_ms);
    /// Calls `visit` with user data and result of each completion that is there; returns whether there was one.
    bool for_each_completion(const std::function<void(uint64_t, int32_t)>& visit);

private:
    io_uring_sqe* next_entry();

    io_uring ring_{};
    bool is_open_ = false;
};

} // namespace zoneio
