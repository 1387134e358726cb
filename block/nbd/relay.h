// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <poll.h>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// Stands between libnbd and a server while they negotiate, and keeps what the server says. Then it connects the two directly, by
/// putting the server's socket in the place of its own.
class NbdRelay {
public:
    /// Takes over a socket that is connected to the server.
    explicit NbdRelay(FileDescriptor server) : server_(std::move(server)) {}

    /// The socket for libnbd, which closes it.
    Result<FileDescriptor> open();
    /// What to wait for: two descriptors, to be handed to pass_on() with what has happened.
    void prepare(std::span<pollfd, 2> fds) const;
    void pass_on(std::span<const pollfd, 2> fds);
    /// Puts the server's socket in the place of `fd`, what open() returned. Not while anything is on its way.
    Status connect(int fd);
    /// Is anything on its way from the relay to `fd`, or from there to the relay?
    bool is_busy(int fd) const;

    /// What the server sent.
    std::string_view heard() const { return heard_; }
    /// Has the server closed the connection?
    bool has_ended() const { return ended_; }

private:
    void hear();
    void say();

    FileDescriptor server_;
    FileDescriptor own_end_; ///< of a pair of sockets; libnbd has the other
    std::string heard_;
    bool ended_ = false;
};

} // namespace zoneio
