// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/nbd/connection.h"

#include <chrono>
#include <memory>
#include <poll.h>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// Largest number of connections of one image.
constexpr unsigned most_nbd_connections = 16;

/// What another connection to the same export says differently from the first, such as `its size is 512 bytes, not 1024`;
/// empty: nothing.
std::string nbd_difference(const NbdExport& first, const NbdExport& other);

/// The connections of one client. Not thread-safe.
class NbdLinks {
public:
    using Duration = std::chrono::steady_clock::duration;

    /// Adds a connection, or replaces a lost one.
    void add(std::unique_ptr<NbdConnection> connection);
    /// The usable connection with the fewest commands in flight; null if all are lost.
    NbdConnection* least_busy() const;
    /// Number of connections that are not lost.
    unsigned usable() const;
    /// Any usable connection; null if all are lost.
    const NbdConnection* first_usable() const;
    /// Changes when a connection is replaced, and its descriptor with it.
    unsigned generation() const { return generation_; }

    /// Fills entries for poll(2). Returns those used, one for each connection.
    std::span<pollfd> fill(std::span<pollfd> fds) const;
    /// Lets the connections receive and send. `fds`: from fill() in the same generation, with their events. `waited`: how
    /// long the wait took; it counts as silence of each connection that owes an answer and sent nothing.
    void progress(std::span<const pollfd> fds, Duration waited);
    /// Breaks connections that owe an answer and have been silent for at least `limit`. True if there are any.
    bool cut_silent(Duration limit);
    /// Breaks all connections that owe an answer.
    void cut_busy(NbdCut why);
    /// Commands of asynchronous requests that have finished since the last call, as a linked list.
    NbdCommand* take_finished();

    /// Keeps the events for which an epoll descriptor waits up to date. -1: there is none.
    void watch(int epoll);

private:
    struct Link {
        std::unique_ptr<NbdConnection> connection;
        Duration silence{0};
        int watched_fd = -1;
        short watched = 0;
    };
    void forget(Link& link) const;

    std::vector<Link> links_;
    unsigned generation_ = 0;
    int epoll_ = -1;
};

} // namespace zoneio
