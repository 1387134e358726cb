// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/task.h"
#include "block/node/request.h"

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace zoneio {

/// Keeps a read-modify-write from mixing with requests that overlap it.
///
/// A request waits for those it overlaps when either of the two is exclusive, as upstream does: not for one that
/// waits itself, so that nobody waits in a circle.
class RequestTracker {
public:
    class Ticket : public RequestHold {
    public:
        /// Waits for its turn.
        Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive);
        ~Ticket() override;
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;

        /// A ticket for a request that nobody waits in; null when it would have to wait.
        static std::unique_ptr<Ticket> without_waiting(RequestTracker& tracker, uint64_t begin, uint64_t end);

    private:
        Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive, std::unique_lock<std::mutex>& lock);
        Ticket* conflict() const;
        void wait_for_others(std::unique_lock<std::mutex>& lock);

        RequestTracker& tracker_;
        uint64_t begin_;
        uint64_t end_;
        bool exclusive_;
        bool waiting_ = false;
        Task* const task_ = Task::current();
        std::vector<Task*> waiters_; ///< tasks that wait for this one to end
        std::list<Ticket*>::iterator position_;
    };

private:
    std::mutex mutex_;
    std::condition_variable released_;
    std::list<Ticket*> in_flight_; ///< oldest first
    size_t exclusive_ = 0;         ///< how many of them are exclusive
};

} // namespace zoneio
