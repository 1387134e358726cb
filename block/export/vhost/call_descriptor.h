// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace zoneio {

/// The eventfd of a front end for interrupts (vhost-user: SET_VRING_CALL, SET_VRING_ERR), or none.
class CallDescriptor {
public:
    CallDescriptor() = default;
    explicit CallDescriptor(FileDescriptor file) : file_(std::move(file)) {
        const int flags = file_.valid() ? fcntl(file_.get(), F_GETFL) : 0;
        may_block_ = (flags & O_NONBLOCK) == 0;
    }

    /// Adds 1. Does not wait for a front end that does not read: if its eventfd is full, it has been told already.
    void signal() const {
        if (!file_.valid() || (may_block_ && !is_writable())) {
            return;
        }
        const uint64_t one = 1;
        (void)!write(file_.get(), &one, sizeof(one));
    }

private:
    bool is_writable() const {
        pollfd look{file_.get(), POLLOUT, 0};
        return poll(&look, 1, 0) == 1 && (look.revents & POLLOUT) != 0;
    }

    FileDescriptor file_;
    bool may_block_ = false;
};

} // namespace zoneio
