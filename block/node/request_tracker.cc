// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/request_tracker.h"

#include <algorithm>

namespace zoneio {

RequestTracker::Ticket::Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive,
                               std::unique_lock<std::mutex>& lock)
    : tracker_(tracker), begin_(begin), end_(end), exclusive_(exclusive) {
    lock = std::unique_lock(tracker_.mutex_);
    position_ = tracker_.in_flight_.insert(tracker_.in_flight_.end(), this);
    tracker_.exclusive_ += exclusive_ ? 1 : 0;
}

RequestTracker::Ticket::Ticket(RequestTracker& tracker, uint64_t begin, uint64_t end, bool exclusive)
    : tracker_(tracker), begin_(begin), end_(end), exclusive_(false) {
    std::unique_lock lock(tracker_.mutex_);
    position_ = tracker_.in_flight_.insert(tracker_.in_flight_.end(), this);
    wait_for_others(lock);
    if (exclusive) {
        // Set after the wait, as in QEMU: the request waits for all exclusive ones first, whichever is the newest.
        exclusive_ = true;
        tracker_.exclusive_++;
        wait_for_others(lock);
    }
}

void RequestTracker::Ticket::wait_for_others(std::unique_lock<std::mutex>& lock) {
    while (Ticket* const other = conflict()) {
        waiting_ = true;
        if (task_ != nullptr) {
            other->waiters_.push_back(task_);
            lock.unlock();
            task_->park(other->task_);
            lock.lock();
        } else {
            tracker_.released_.wait(lock);
        }
        waiting_ = false;
    }
}

std::unique_ptr<RequestTracker::Ticket> RequestTracker::Ticket::without_waiting(RequestTracker& tracker, uint64_t begin,
                                                                                uint64_t end) {
    std::unique_lock<std::mutex> lock;
    std::unique_ptr<Ticket> ticket(new Ticket(tracker, begin, end, false, lock));
    const bool must_wait = ticket->conflict() != nullptr;
    lock.unlock();
    return must_wait ? nullptr : std::move(ticket);
}

/// A request that this one has to wait for, or null.
RequestTracker::Ticket* RequestTracker::Ticket::conflict() const {
    // The usual case. It saves a search through thousands of requests in flight each time a request starts.
    if (tracker_.exclusive_ == 0) {
        return nullptr;
    }
    // The newest of several, as in QEMU: this choice decides which request continues first.
    const std::list<Ticket*>& others = tracker_.in_flight_;
    const auto found = std::find_if(others.rbegin(), others.rend(), [this](const Ticket* other) {
        return other != this && !other->waiting_ && (exclusive_ || other->exclusive_) && other->begin_ < end_ &&
               begin_ < other->end_;
    });
    return found == others.rend() ? nullptr : *found;
}

RequestTracker::Ticket::~Ticket() {
    {
        const std::lock_guard lock(tracker_.mutex_);
        tracker_.in_flight_.erase(position_);
        tracker_.exclusive_ -= exclusive_ ? 1 : 0;
        tracker_.released_.notify_all();
    }
    for (Task* const waiter : waiters_) {
        waiter->wake();
    }
}

} // namespace zoneio
