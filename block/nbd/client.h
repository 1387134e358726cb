// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/engine/event.h"
#include "block/nbd/connector.h"
#include "block/nbd/links.h"
#include "block/node/request.h"

#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <span>

namespace zoneio {

/// An open export: its connections, and the requests that wait for answers. Thread-safe.
///
/// Of the waiting threads, one polls for all and wakes the others. Each request goes to the connection with the fewest
/// requests in flight. Requests of a broken connection are sent again over another one or, within the reconnect delay, over a
/// new one. Broken connections are replaced in the background.
class NbdClient {
public:
    /// Connects; retries until the open timeout. Errors have QEMU's texts.
    static Result<std::unique_ptr<NbdClient>> open(NbdSettings settings);
    ~NbdClient();
    NbdClient(const NbdClient&) = delete;
    NbdClient& operator=(const NbdClient&) = delete;

    /// Facts of the export when it was first connected.
    const NbdExport& facts() const { return facts_; }
    /// Number of connections that are usable now.
    unsigned connections();
    /// Number of connections that the settings ask for.
    unsigned connections_wanted() const { return settings_.connections; }

    /// Sends a command and waits for the answer.
    ///
    /// EIO: the connection broke; ETIMEDOUT: no answer within the time limit; EINTR: the user interrupted the command.
    Status perform(NbdCommand& command);

    /// Sends the command of a request; take_finished() returns it. False if there is no connection. This function and
    /// the next ones are for one thread only.
    bool start(NbdCommand& command);
    /// Finished commands of start(), as a linked list. With `wait`, waits for at least one if any is in flight. EAGAIN:
    /// the command should be retried with perform().
    NbdCommand* take_finished(bool wait);
    size_t in_flight() const { return started_; }
    /// Readable when take_finished() would find a command; spurious wakeups are possible.
    int event_fd();

private:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;

    NbdClient(const NbdLibrary& library, NbdSettings settings)
        : library_(library), settings_(std::move(settings)), connector_(library_, settings_) {}
    Result<std::unique_ptr<NbdConnection>> connect(const NbdDeadline& deadline) const;
    Status connect_all();
    bool can_reconnect() const { return settings_.address.type != NbdAddress::Type::descriptor; }
    unsigned wanted() const { return allows_several_ ? settings_.connections : 1; }
    NbdConnection* usable();
    void adopt(std::unique_ptr<NbdConnection> made);
    Status reconnect(Lock& lock);
    void send(NbdConnection& connection, NbdCommand& command);
    /// Waits until `is_over()` is true.
    template <typename IsOver>
    void wait(Lock& lock, IsOver is_over);
    void wait_for_others(Lock& lock);
    void poll_once(Lock& lock);
    int poll_awake(std::span<pollfd> fds);
    void poll_now();
    void collect();
    void interrupt();
    void note_cut(NbdCut why);
    static int lost_error(NbdCut why);
    void wake();

    const NbdLibrary& library_;
    const NbdSettings settings_;
    NbdExport facts_;

    std::mutex mutex_;
    std::condition_variable changed_;
    NbdLinks links_;
    NbdConnector connector_;
    bool allows_several_ = false; ///< the server allows several connections
    bool all_lost_ = false;       ///< no connection is usable
    Clock::time_point lost_at_;   ///< all_lost_: since when
    NbdCut cut_ = NbdCut::no;     ///< all_lost_: why the client broke the last connection
    bool polling_ = false;        ///< a thread is polling
    unsigned waiters_ = 0;        ///< number of threads that wait for changed_
    unsigned waits_to_skip_ = 0;  ///< waits that go to sleep at once; of the polling thread, like the next one
    unsigned skips_ = 0;          ///< waits_to_skip_ after the last attempt
    Event wake_;                  ///< wakes the polling thread, or announces that take_finished() would find a
                                  ///< command
    FileDescriptor epoll_;        ///< the descriptor of event_fd()
    NbdCommand* finished_ = nullptr;
    size_t started_ = 0; ///< commands of start() that take_finished() has not returned
};

} // namespace zoneio
