// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/nbd/connection.h"
#include "block/node/request.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace zoneio {

/// An export that is open: its connections, and who waits for which answer. Used by several threads.
///
/// Of the threads that wait one polls for all; what it receives wakes the others. After a connection broke a request is sent
/// again over a new one, within the reconnect delay.
class NbdClient {
public:
    /// Connects, over and over within the open timeout. Errors have QEMU's texts.
    static Result<std::unique_ptr<NbdClient>> open(NbdSettings settings);
    ~NbdClient();
    NbdClient(const NbdClient&) = delete;
    NbdClient& operator=(const NbdClient&) = delete;

    /// As of the first connection.
    const NbdExport& facts() const { return facts_; }

    /// Sends a command and waits for its answer.
    ///
    /// EIO: the connection broke; ETIMEDOUT: the server was silent for too long; EINTR: the user interrupted the command.
    Status perform(NbdCommand& command);

    /// Sends a command with a request, which take_finished() hands out once it has ended. False where there is no connection.
    /// This and the following are for one thread.
    bool start(NbdCommand& command);
    /// Commands begun by start() that have ended, linked; with `wait` at least one, where any is in flight. An error of EAGAIN
    /// means that perform() may do better.
    NbdCommand* take_finished(bool wait);
    size_t in_flight() const { return started_; }
    /// Readable when take_finished() would find something, and sometimes when not.
    int event_fd();

private:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;
    enum class Cut : uint8_t { no, interrupted, timed_out };

    NbdClient(const NbdLibrary& library, NbdSettings settings) : library_(library), settings_(std::move(settings)) {}
    Result<std::unique_ptr<NbdConnection>> connect(const NbdDeadline& deadline) const;
    Status ensure_connected(Lock& lock);
    Status check_same(const NbdExport& found) const;
    /// Waits until `is_over()`.
    template <typename IsOver>
    void wait(Lock& lock, IsOver is_over);
    void wait_for_others(Lock& lock);
    void poll_once(Lock& lock);
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
    const NbdConnection* lost_connection_ = nullptr; ///< the one that lost_at_ is about
    Clock::time_point lost_at_;                      ///< when the connection broke
    Cut cut_ = Cut::no;         ///< why we broke it ourselves
    bool polling_ = false;      ///< a thread polls
    bool connecting_ = false;   ///< a thread connects anew
    unsigned waiters_ = 0;      ///< threads that wait for changed_
    unsigned silent_ms_ = 0;    ///< since when the server owes an answer
    FileDescriptor wake_;       ///< eventfd: the thread that polls has to look again; take_finished() would find something
    FileDescriptor epoll_;      ///< of event_fd()
    short watched_ = 0;         ///< what epoll_ waits for on the connection
    int watched_fd_ = -1;
    NbdCommand* finished_ = nullptr;
    size_t started_ = 0; ///< begun by start() and not handed out
};

} // namespace zoneio
