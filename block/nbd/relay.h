// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <poll.h>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// Passes data between libnbd and a server during negotiation, and records the server's side. Then it connects them
/// directly, by replacing its own socket with the server's. Export flags of old servers that libnbd would refuse are mended.
class NbdRelay {
public:
    /// Takes ownership of a socket that is connected to the server.
    explicit NbdRelay(FileDescriptor server) : server_(std::move(server)) {}

    /// The socket for libnbd, which closes it.
    Result<FileDescriptor> open();
    /// Fills two entries for poll(2). pass_on() takes them with their events.
    void prepare(std::span<pollfd, 2> fds) const;
    void pass_on(std::span<const pollfd, 2> fds);
    /// Replaces `fd`, the result of open(), by the server's socket. REQUIRES: !is_busy(fd).
    Status connect(int fd);
    /// True if data is in transit between the relay and `fd`.
    bool is_busy(int fd) const;

    /// Everything that the server has sent.
    std::string_view heard() const { return heard_; }
    /// True if the server has closed the connection.
    bool has_ended() const { return ended_; }

private:
    void hear();
    void mend_flags(char* data, size_t bytes) const;
    void say();

    FileDescriptor server_;
    FileDescriptor own_end_; ///< one end of a socket pair; libnbd has the other
    std::string heard_;
    bool ended_ = false;
};

} // namespace zoneio
