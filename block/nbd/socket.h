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

/// Time at which waiting ends; empty: never.
using NbdDeadline = std::optional<std::chrono::steady_clock::time_point>;

/// poll(2) until an event.
///
/// ETIMEDOUT: deadline, or no event for `silence` if that is not 0. EINTR: the user interrupted the command.
Status wait_for_sockets(std::span<pollfd> fds, const NbdDeadline& deadline, std::chrono::seconds silence);

/// A socket that is connected to the server, with TCP_NODELAY.
Result<FileDescriptor> connect_nbd_socket(const NbdAddress& address, const NbdDeadline& deadline);

} // namespace zoneio
