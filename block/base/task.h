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

/// Work that can stop in the middle and go on later: blocking code on a thread of its own, of which only one runs at a
/// time. Whoever runs holds the baton, so what tasks of one scheduler and its owner share needs no lock.
class Task {
public:
    /// The task that this thread runs; null on all other threads.
    static Task* current();

    explicit Task(TaskScheduler& scheduler);
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task();

    TaskScheduler& scheduler() { return scheduler_; }

    // For the task itself:

    /// Stops until the next TaskScheduler::step, where tasks go on in the order in which they stopped.
    void yield();
    /// The same, behind those, as if for a device. Of requests that were all begun before a row of steps the newest comes
    /// first, as upstream finds them when all have ended by the time it looks; after that, the oldest.
    void wait_for_device();
    /// Stops until a step after some time has passed; until the next one when that is more than the clock can tell.
    void sleep_for(std::chrono::nanoseconds duration);
    /// Stops until somebody calls wake(). `awaited`: the task whose progress will do so, if it is one.
    void park(Task* awaited = nullptr);

    // For those who hold the baton:

    /// Ends park(): the task goes on before the owner of the scheduler does.
    void wake();
    /// The task that this one waits for in park(), or null.
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

/// Runs tasks for its owner, the one thread that calls it. Everything happens in an order that depends on the calls
/// only, not on the machine.
class TaskScheduler {
public:
    TaskScheduler() = default;
    TaskScheduler(const TaskScheduler&) = delete;
    TaskScheduler& operator=(const TaskScheduler&) = delete;
    /// All tasks must have ended.
    ~TaskScheduler();

    /// Begins some work, which must not throw, and returns when it has stopped or ended. False when there is no thread or
    /// no memory for it.
    bool start(std::function<void()> work);
    /// Has something done at the begin of the next step; the last given comes first, as with upstream's bottom halves.
    void defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }
    /// Makes room for one more of these, so that memory cannot run short then.
    void reserve_deferred() { deferred_.reserve(deferred_.size() + 1); }
    /// Lets all tasks that have stopped, but are not parked, go on once; with `wait`, and when there is no other, the next
    /// in sleep_for() when its time has come. False when there is none: then, with `wait`, all that are left are parked.
    bool step(bool wait = true);
    /// Would step(false) find something?
    bool can_step() const;
    /// When the next task in sleep_for() goes on; nothing when there is none.
    std::optional<std::chrono::steady_clock::time_point> next_timer() const {
        return asleep_.empty() ? std::nullopt : std::optional(asleep_.begin()->first);
    }
    /// Lets tasks that were woken go on; for an owner who has called wake().
    void run_woken();
    /// How many tasks have stopped and are not parked.
    size_t ready() const { return yielded_.size() + at_device_.size() + asleep_.size(); }

    /// Told what people should see, as it happens; may be called on any of the threads, one at a time.
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
    Task* running_ = nullptr; ///< null: the owner
    bool stopping_ = false;
    bool first_step_ = true; ///< since the owner did something else
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
