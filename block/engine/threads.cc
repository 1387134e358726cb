// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/engine.h"

#include "block/engine/event.h"
#include "block/base/worker_thread.h"
#include "block/engine/submission_order.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace zoneio {

namespace {

constexpr size_t max_threads = 64;

/// Number of pending requests after which a thread is woken.
constexpr size_t wake_after = 16;
/// Most requests that a thread takes at a time, if there are enough for all threads.
constexpr size_t most_at_once = 16;
/// The most requests that should wait for others that overlap them: more would make looking through them slow.
constexpr size_t most_waiting = 256;

/// A singly linked list of requests. It does not own them.
class RequestList {
public:
    bool empty() const { return head_ == nullptr; }
    size_t size() const { return size_; }

    void push(Request& request) {
        request.next = nullptr;
        if (head_ == nullptr) {
            head_ = &request;
        } else {
            tail_->next = &request;
        }
        tail_ = &request;
        size_++;
    }

    /// Removes the first `count` requests, or all if there are fewer. Returns them linked.
    Request* take(size_t count) {
        Request* const first = head_;
        Request* last = nullptr;
        for (; count > 0 && head_ != nullptr; count--) {
            last = head_;
            head_ = head_->next;
            size_--;
        }
        if (last != nullptr) {
            last->next = nullptr;
        }
        return first;
    }

    Request* take_all() {
        Request* head = head_;
        head_ = nullptr;
        size_ = 0;
        return head;
    }

private:
    Request* head_ = nullptr;
    Request* tail_ = nullptr;
    size_t size_ = 0;
};

class ThreadEngine final : public IoEngine {
public:
    explicit ThreadEngine(BlockNode& root) : root_(root), order_(root) {
        threads_.reserve(max_threads);
        for (const BlockNode* node = &root; node != nullptr; node = node->child()) {
            may_take_several_ = may_take_several_ && !node->counts_requests();
        }
    }

    ~ThreadEngine() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        work_.notify_all();
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

    void submit(Request& request) override {
        const bool may_begin = order_.take(request);
        trace_thread_pool_submit_aio(this, &request, &root_);
        in_flight_++;
        if (may_begin) {
            enqueue(request);
        }
    }

    // Not left to submit(): a request may wait for one that another engine, above this one, has to reap.
    bool is_crowded() const override { return order_.waiting() > most_waiting; }
    bool must_wait(const Request& request) override { return order_.must_wait(request); }

    void kick() override {
        for (; kept_back_ > 0; kept_back_--) {
            bool more_threads = false;
            {
                const std::lock_guard lock(mutex_);
                if (runnable_ == 0) {
                    kept_back_ = 0;
                    return;
                }
                more_threads = runnable_ > idle_ && threads_.size() < max_threads;
            }
            if (more_threads) {
                add_thread();
            } else {
                work_.notify_one();
            }
        }
    }

    size_t reap(bool wait) override {
        kick();
        size_t count = 0;
        while (true) {
            Request* finished = nullptr;
            {
                std::unique_lock lock(mutex_);
                if (wait && count == 0 && in_flight_ > 0) {
                    done_.wait(lock, [this] { return !finished_.empty(); });
                }
                finished = finished_.take_all();
                // Emptied under the lock, so that the descriptor is readable only if there are completions.
                event_.clear();
            }
            if (finished == nullptr) {
                return count;
            }
            while (finished != nullptr) {
                Request* const next = finished->next;
                trace_thread_pool_complete_aio(this, finished, &root_, -finished->status.code());
                finished->holds.clear();
                finished->done = true;
                finished = next;
                count++;
                in_flight_--;
            }
            begin_waiting();
        }
    }

    int event_fd() const override { return event_.fd(); }
    size_t in_flight() const override { return in_flight_; }

private:
    void enqueue(Request& request) {
        {
            const std::lock_guard lock(mutex_);
            if (keeps_order(request)) {
                runnable_ += !in_order_busy_ && in_order_.empty() ? 1 : 0;
                in_order_.push(request);
            } else {
                waiting_.push(request);
                runnable_++;
            }
        }
        // Waking a thread costs more than a small request. Woken once per batch, the threads work while more requests
        // arrive.
        if (++kept_back_ >= wake_after) {
            kick();
        }
    }

    /// Lets requests begin that waited for others.
    void begin_waiting() {
        while (order_.waiting() > 0) {
            Request* const request = order_.next();
            if (request == nullptr) {
                break;
            }
            enqueue(*request);
        }
        kick();
    }

    /// True if requests must run in order. Zones are written at their write pointer, so a write may be valid only after
    /// the one before it.
    bool keeps_order(const Request& request) const {
        const bool moves_pointer = request.op == RequestOp::write || request.op == RequestOp::write_zeroes ||
                                   request.op == RequestOp::zone_append;
        return moves_pointer && root_.limits().zoned != ZonedModel::none;
    }

    /// Takes a request that can run now, or several, linked, if all threads have plenty. Null if there is none.
    /// REQUIRES: the lock.
    Request* take() {
        if (!in_order_busy_ && !in_order_.empty()) {
            in_order_busy_ = true;
            runnable_--;
            return in_order_.take(1);
        }
        const size_t waiting = waiting_.size();
        Request* const first =
            waiting_.take(may_take_several_ ? std::clamp<size_t>(waiting / max_threads, 1, most_at_once) : 1);
        runnable_ -= waiting - waiting_.size();
        return first;
    }

    /// Adds a thread. If that fails, the other threads do the work; if there are none, the caller does it now.
    void add_thread() {
        try {
            threads_.push_back(start_worker([this] { run(); }));
        } catch (const std::exception&) { // too many threads, or no memory
            if (!threads_.empty()) {
                work_.notify_one();
                return;
            }
            std::unique_lock lock(mutex_);
            while (Request* const first = take()) {
                run_batch(first, lock);
            }
        }
    }

    /// Runs the requests taken. The lock is held before and after.
    void run_batch(Request* first, std::unique_lock<std::mutex>& lock) {
        const bool in_order = keeps_order(*first);
        lock.unlock();
        for (Request* request = first; request != nullptr; request = request->next) {
            perform_blocking(root_, *request);
            request->finished = std::chrono::steady_clock::now();
        }
        lock.lock();
        if (in_order) {
            in_order_busy_ = false;
            runnable_ += in_order_.empty() ? 0 : 1;
        }
        const bool was_empty = finished_.empty();
        while (first != nullptr) {
            Request* const next = first->next;
            finished_.push(*first);
            first = next;
        }
        if (was_empty) {
            event_.set();
            done_.notify_one();
        }
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            idle_++;
            work_.wait(lock, [this] { return stopping_ || runnable_ > 0; });
            idle_--;
            Request* const first = take();
            if (first == nullptr) {
                return;
            }
            run_batch(first, lock);
        }
    }

    BlockNode& root_;
    SubmissionOrder order_;
    Event event_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    RequestList waiting_;
    RequestList in_order_; ///< run one at a time
    bool in_order_busy_ = false;
    RequestList finished_;
    size_t runnable_ = 0; ///< requests that a thread could take now
    size_t idle_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
    size_t in_flight_ = 0; ///< used only on the caller's thread
    size_t kept_back_ = 0; ///< pending requests for which no thread was woken; used only on the caller's thread
    /// False if a request may be held deliberately: others in the same batch would have to wait for it.
    bool may_take_several_ = true;
};

} // namespace

std::unique_ptr<IoEngine> make_thread_engine(BlockNode& root) {
    return std::make_unique<ThreadEngine>(root);
}

} // namespace zoneio
