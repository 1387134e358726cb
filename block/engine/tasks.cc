// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/engine.h"

#include "block/engine/event.h"
#include "block/base/task.h"


namespace zoneio {

namespace {

/// If so many requests, each with a thread, wait as if for a device, they continue before another one starts.
constexpr size_t max_ready = 256;

class TaskEngine final : public IoEngine {
public:
    TaskEngine(BlockNode& root, TaskScheduler& tasks, std::function<void()> on_completion)
        : root_(root), tasks_(tasks), on_completion_(std::move(on_completion)) {}

    void submit(Request& request) override {
        while (tasks_.ready() >= max_ready && tasks_.step()) {
        }
        // The last call that can fail: from here on the request is in flight.
        tasks_.reserve_deferred();
        in_flight_++;
        submitting_ = &request;
        const auto work = [this, &request] {
            if (request.status.ok()) {
                perform_blocking(root_, request);
            }
            end(request);
        };
        // If no thread can be created, those of requests that end are reused.
        bool started = tasks_.start(work);
        while (!started && tasks_.step()) {
            started = tasks_.start(work);
        }
        if (!started) {
            request.status = Status::from_errno(EAGAIN);
            end(request);
        }
        submitting_ = nullptr;
    }

    void kick() override {}
    size_t reap(bool wait) override {
        if (wait) {
            while (finished_ == 0 && tasks_.step()) {
            }
        } else {
            tasks_.step(false);
        }
        return std::exchange(finished_, 0);
    }

    int event_fd() const override {
        // Brings the descriptor up to date, because the caller is about to poll it.
        if (finished_ > 0 || tasks_.can_step()) {
            event_.set();
        } else {
            event_.clear();
        }
        return event_.fd();
    }

    size_t in_flight() const override { return in_flight_; }
    bool orders_completions() const override { return true; }

private:
    /// Reports the end of a request. If it ends while it is being submitted, its end is reported at the next step.
    void end(Request& request) {
        request.finished = std::chrono::steady_clock::now();
        if (submitting_ == &request) {
            tasks_.defer([this, &request] { complete(request); });
        } else {
            complete(request);
        }
    }

    void complete(Request& request) {
        request.sequence = ++sequence_;
        request.done = true;
        in_flight_--;
        finished_++;
        on_completion_(); // may destroy the request
    }

    BlockNode& root_;
    TaskScheduler& tasks_;
    std::function<void()> on_completion_;
    const Request* submitting_ = nullptr;
    Event event_;
    size_t in_flight_ = 0;
    size_t finished_ = 0; ///< since the last reap
    uint64_t sequence_ = 0;
};

} // namespace

std::unique_ptr<IoEngine> make_task_engine(BlockNode& root, TaskScheduler& tasks,
                                           std::function<void()> on_completion) {
    return std::make_unique<TaskEngine>(root, tasks, std::move(on_completion));
}

} // namespace zoneio
