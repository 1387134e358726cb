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

/// Keeps a read-modify-write apart from requests that overlap it.
///
/// A request waits for overlapping requests if either of the two is exclusive, as in QEMU. It does not wait for a
/// request that waits itself, which prevents deadlocks.
class RequestTracker {
public:
    class Ticket : public RequestHold {
    public:
        /// Waits until no conflicting request is left. [begin, end) is in bytes.
        Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive);
        ~Ticket() override;
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;

        /// A ticket for a request, or null if the request would have to wait. Nothing may wait while holding it.
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
        std::vector<Task*> waiters_; ///< tasks that wait for this request to end
        std::list<Ticket*>::iterator position_;
    };

private:
    std::mutex mutex_;
    std::condition_variable released_;
    std::list<Ticket*> in_flight_; ///< oldest first
    size_t exclusive_ = 0;         ///< number of exclusive requests in flight
};

} // namespace zoneio
