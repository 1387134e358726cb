// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/nbd/connection.h"
#include "block/node/request.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <span>
#include <thread>
#include <vector>

namespace zoneio {

/// An open export: its connections, and the requests that wait for answers. Thread-safe.
///
/// Of the waiting threads, one polls for all and wakes the others. After a broken connection, requests are sent again
/// over a new one within the reconnect delay.
class NbdClient {
public:
    /// Connects; retries until the open timeout. Errors have QEMU's texts.
    static Result<std::unique_ptr<NbdClient>> open(NbdSettings settings);
    ~NbdClient();
    NbdClient(const NbdClient&) = delete;
    NbdClient& operator=(const NbdClient&) = delete;

    /// Facts of the export when it was first connected.
    const NbdExport& facts() const { return facts_; }

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
    enum class Cut : uint8_t { no, interrupted, timed_out };

    NbdClient(const NbdLibrary& library, NbdSettings settings) : library_(library), settings_(std::move(settings)) {}
    Result<std::unique_ptr<NbdConnection>> connect(const NbdDeadline& deadline) const;
    Status ensure_connected(Lock& lock);
    Status check_same(const NbdExport& found) const;
    /// Waits until `is_over()` is true.
    template <typename IsOver>
    void wait(Lock& lock, IsOver is_over);
    void wait_for_others(Lock& lock);
    void poll_once(Lock& lock);
    int poll_awake(std::span<pollfd, 2> fds);
    void collect();
    void cut(Cut why);
    int lost_error() const;
    void watch();
    void wake();

    const NbdLibrary& library_;
    const NbdSettings settings_;
    NbdExport facts_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::unique_ptr<NbdConnection> connection_;
    const NbdConnection* lost_connection_ = nullptr; ///< the connection whose loss lost_at_ records
    Clock::time_point lost_at_;                      ///< when the connection broke
    Cut cut_ = Cut::no;         ///< why the client broke the connection
    bool polling_ = false;      ///< a thread is polling
    bool connecting_ = false;   ///< a thread is reconnecting
    unsigned waiters_ = 0;      ///< number of threads that wait for changed_
    unsigned waits_to_skip_ = 0; ///< waits that go to sleep at once; of the polling thread, like the next one
    unsigned skips_ = 0;         ///< waits_to_skip_ after the last attempt
    unsigned silent_ms_ = 0;    ///< how long the server has owed an answer
    FileDescriptor wake_;       ///< eventfd: wakes the polling thread, or announces that take_finished() would find a
                                ///< command
    FileDescriptor epoll_;      ///< the descriptor of event_fd()
    short watched_ = 0;         ///< events of the connection for which epoll_ waits
    int watched_fd_ = -1;
    NbdCommand* finished_ = nullptr;
    size_t started_ = 0; ///< commands of start() that take_finished() has not returned
};

} // namespace zoneio
