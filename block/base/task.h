// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace zoneio {

class TaskScheduler;

/// Work that can stop and continue later: blocking code on a thread of its own. Only one of the threads runs at a time,
/// so tasks of a scheduler and the scheduler's owner share data without locks.
class Task {
public:
    /// The task that runs on this thread, or null.
    static Task* current();

    explicit Task(TaskScheduler& scheduler);
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task();

    TaskScheduler& scheduler() { return scheduler_; }

    // Called by the task itself:

    /// Stops until the next TaskScheduler::step(). Tasks continue in the order in which they stopped.
    void yield();
    /// Stops until the next step and continues after the tasks that yielded, as if a device were working. Among
    /// requests that all began before a series of steps the newest continues first, because QEMU finds them so if all
    /// have ended when it looks. Later requests continue oldest first.
    void wait_for_device();
    /// Stops until a step after `duration`, or until the next step if the clock cannot represent the end.
    void sleep_for(std::chrono::nanoseconds duration);
    /// Stops until another task or the owner calls wake(). `awaited`: the task that will do so, if known.
    void park(Task* awaited = nullptr);

    // Called by the owner or the running task:

    /// Ends park(). The task continues before the owner of the scheduler does.
    void wake();
    /// The task that this one awaits in park(), or null.
    Task* awaited() const { return awaited_; }

private:
    friend class TaskScheduler;

    void run();
    void hand_back();

    TaskScheduler& scheduler_;
    std::function<void()> work_;
    Task* awaited_ = nullptr;
    std::condition_variable turn_;
    std::thread thread_;
};

/// Runs tasks for its owner, the one thread that calls it. The order of events depends on the calls only, not on the
/// machine.
class TaskScheduler {
public:
    TaskScheduler() = default;
    TaskScheduler(const TaskScheduler&) = delete;
    TaskScheduler& operator=(const TaskScheduler&) = delete;
    /// REQUIRES: all tasks have ended.
    ~TaskScheduler();

    /// Starts work, which must not throw, and returns when it has stopped or ended. False if there is no thread or
    /// memory for it.
    bool start(std::function<void()> work);
    /// Runs `work` at the start of the next step. The last one given runs first, as with QEMU's bottom halves.
    void defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }
    /// Reserves space for one more defer(), which then cannot run out of memory.
    void reserve_deferred() { deferred_.reserve(deferred_.size() + 1); }
    /// Lets every stopped task that is not parked continue once. If there is none and `wait` is set, waits for the next
    /// task in sleep_for(). False if there is none either: all that are left are parked.
    bool step(bool wait = true);
    /// True if step(false) would find a task.
    bool can_step() const;
    /// Time at which the next task in sleep_for() continues; empty if there is none.
    std::optional<std::chrono::steady_clock::time_point> next_timer() const {
        return asleep_.empty() ? std::nullopt : std::optional(asleep_.begin()->first);
    }
    /// Lets woken tasks continue. For an owner that has called wake().
    void run_woken();
    /// Number of tasks that have stopped and are not parked.
    size_t ready() const { return yielded_.size() + at_device_.size() + asleep_.size(); }

    /// Sets the function that receives messages for people as they arise. It is called on any of the threads, by one at
    /// a time.
    void set_listener(std::function<void(std::string_view)> listener) { listener_ = std::move(listener); }
    void announce(std::string_view text) const {
        if (listener_) {
            listener_(text);
        }
    }

private:
    friend class Task;
    using Clock = std::chrono::steady_clock;

    bool add_task();
    void hand_to(Task& task);
    void drain_woken();

    std::mutex mutex_;
    std::condition_variable owner_turn_;
    Task* running_ = nullptr; ///< null: the owner runs
    bool stopping_ = false;
    bool first_step_ = true; ///< no step yet since the owner did something else
    std::deque<Task*> woken_;
    std::vector<Task*> yielded_;
    std::vector<Task*> at_device_;
    std::vector<std::function<void()>> deferred_;
    std::multimap<Clock::time_point, Task*> asleep_;
    std::vector<Task*> idle_;
    std::vector<std::unique_ptr<Task>> tasks_;
    std::function<void(std::string_view)> listener_;
};

} // namespace zoneio
