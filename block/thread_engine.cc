// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine.h"

#include "block/file_descriptor.h"
#include "block/trace.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <vector>

namespace zoneio {

namespace {

constexpr size_t max_threads = 64;

/// A singly linked list of requests; only pointers move.
class RequestList {
public:
    bool empty() const { return head_ == nullptr; }

    void push(Request& request) {
        request.next = nullptr;
        if (head_ == nullptr) {
            head_ = &request;
        } else {
            tail_->next = &request;
        }
        tail_ = &request;
    }

    Request& pop() {
        Request& request = *head_;
        head_ = request.next;
        return request;
    }

    Request* take_all() {
        Request* head = head_;
        head_ = nullptr;
        return head;
    }

private:
    Request* head_ = nullptr;
    Request* tail_ = nullptr;
};

class ThreadEngine final : public IoEngine {
public:
    explicit ThreadEngine(BlockNode& root) : root_(root), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

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
        trace_thread_pool_submit_aio(this, &request, &root_);
        in_flight_++;
        bool more_threads = false;
        {
            const std::lock_guard lock(mutex_);
            if (keeps_order(request)) {
                runnable_ += !in_order_busy_ && in_order_.empty() ? 1 : 0;
                in_order_.push(request);
            } else {
                waiting_.push(request);
                runnable_++;
            }
            more_threads = runnable_ > idle_ && threads_.size() < max_threads;
        }
        if (more_threads) {
            threads_.emplace_back([this] { run(); });
        } else {
            work_.notify_one();
        }
    }

    size_t reap(bool wait) override {
        size_t count = 0;
        while (true) {
            Request* finished = nullptr;
            {
                std::unique_lock lock(mutex_);
                if (wait && count == 0 && in_flight_ > 0) {
                    done_.wait(lock, [this] { return !finished_.empty(); });
                }
                finished = finished_.take_all();
                // Emptied under the lock, so that the descriptor tells the truth.
                uint64_t ignored = 0;
                (void)!read(event_.get(), &ignored, sizeof(ignored));
            }
            if (finished == nullptr) {
                return count;
            }
            while (finished != nullptr) {
                Request* const next = finished->next;
                trace_thread_pool_complete_aio(this, finished, &root_, -finished->status.code());
                finished->done = true;
                finished = next;
                count++;
                in_flight_--;
            }
        }
    }

    int event_fd() const override { return event_.get(); }
    size_t in_flight() const override { return in_flight_; }

private:
    /// Zones are written at their write pointer: of two writes that are begun one after the other, the second may
    /// be right only after the first.
    bool keeps_order(const Request& request) const {
        const bool moves_pointer = request.op == RequestOp::write || request.op == RequestOp::write_zeroes ||
                                   request.op == RequestOp::zone_append;
        return moves_pointer && root_.limits().zoned != ZonedModel::none;
    }

    /// Takes a request that can be done now; null when there is none. Called with the lock held.
    Request* take() {
        Request* request = nullptr;
        if (!in_order_busy_ && !in_order_.empty()) {
            in_order_busy_ = true;
            request = &in_order_.pop();
        } else if (!waiting_.empty()) {
            request = &waiting_.pop();
        }
        runnable_ -= request != nullptr ? 1 : 0;
        return request;
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            idle_++;
            work_.wait(lock, [this] { return stopping_ || runnable_ > 0; });
            idle_--;
            Request* const request = take();
            if (request == nullptr) {
                return;
            }
            const bool in_order = keeps_order(*request);
            lock.unlock();
            perform_blocking(root_, *request);
            request->finished = std::chrono::steady_clock::now();
            lock.lock();
            if (in_order) {
                in_order_busy_ = false;
                runnable_ += in_order_.empty() ? 0 : 1;
            }
            finish(*request);
        }
    }

    /// Hands a request that is done to the caller's thread. Called with the lock held.
    void finish(Request& request) {
        const bool was_empty = finished_.empty();
        finished_.push(request);
        if (was_empty) {
            const uint64_t one = 1;
            (void)!write(event_.get(), &one, sizeof(one));
            done_.notify_one();
        }
    }

    BlockNode& root_;
    FileDescriptor event_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    RequestList waiting_;
    RequestList in_order_; ///< done one at a time
    bool in_order_busy_ = false;
    RequestList finished_;
    size_t runnable_ = 0; ///< requests that could be taken now
    size_t idle_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
    size_t in_flight_ = 0; ///< used by the caller's thread only
};

} // namespace

void perform_blocking(BlockNode& root, Request& request) {
    switch (request.op) {
    case RequestOp::read: request.status = root.preadv(request.offset, request.iov); break;
    case RequestOp::write: request.status = root.pwritev(request.offset, request.iov, request.flags); break;
    case RequestOp::write_zeroes:
        request.status = root.pwrite_zeroes(request.offset, request.bytes, request.flags);
        break;
    case RequestOp::discard: request.status = root.pdiscard(request.offset, request.bytes); break;
    case RequestOp::flush: request.status = root.flush(); break;
    case RequestOp::zone_append: {
        Result<uint64_t> position = root.zone_append(request.offset, request.iov, request.flags);
        if (position.ok()) {
            request.offset = *position;
        }
        request.status = std::move(position).status();
        break;
    }
    }
}

std::unique_ptr<IoEngine> make_thread_engine(BlockNode& root) {
    return std::make_unique<ThreadEngine>(root);
}

} // namespace zoneio
