// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "block/nbd/address.h"

#include <chrono>
#include <optional>
#include <poll.h>
#include <span>

namespace zoneio {

/// When to give up waiting; unset: never.
using NbdDeadline = std::optional<std::chrono::steady_clock::time_point>;

/// poll(2) until something happens.
///
/// ETIMEDOUT at the deadline, or after `silence` without an event where that is not zero; EINTR when the user interrupts the
/// command.
Status wait_for_sockets(std::span<pollfd> fds, const NbdDeadline& deadline, std::chrono::seconds silence);

/// A socket that is connected to the server, without a delay for small packets.
Result<FileDescriptor> connect_nbd_socket(const NbdAddress& address, const NbdDeadline& deadline);

} // namespace zoneio
