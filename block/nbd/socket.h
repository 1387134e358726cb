// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "block/base/worker_thread.h"
#include "block/nbd/address.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <poll.h>
#include <span>

namespace zoneio {

/// When waiting for a server ends.
struct NbdDeadline {
    std::optional<std::chrono::steady_clock::time_point> time; ///< empty: never
    const std::atomic<bool>* cancelled = nullptr;              ///< another thread may set it

    bool is_over() const { return time && std::chrono::steady_clock::now() >= *time; }
    /// True if the user interrupted the command, or another thread the work.
    bool is_interrupted() const { return interrupt_requested() || (cancelled != nullptr && *cancelled); }
};

/// poll(2) until an event.
///
/// ETIMEDOUT: deadline, or no event for `silence` if that is not 0. EINTR: interrupted.
Status wait_for_sockets(std::span<pollfd> fds, const NbdDeadline& deadline, std::chrono::seconds silence);

/// A socket that is connected to the server, with TCP_NODELAY.
Result<FileDescriptor> connect_nbd_socket(const NbdAddress& address, const NbdDeadline& deadline);

} // namespace zoneio
