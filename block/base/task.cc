// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/task.h"

#include "block/base/worker_thread.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace zoneio {

namespace {

thread_local Task* current_task = nullptr;

} // namespace

Task* Task::current() {
    return current_task;
}

Task::Task(TaskScheduler& scheduler) : scheduler_(scheduler), thread_(start_worker([this] { run(); })) {}

Task::~Task() {
    thread_.join();
}

void Task::run() {
    current_task = this;
    std::unique_lock lock(scheduler_.mutex_);
    while (true) {
        turn_.wait(lock, [this] { return scheduler_.running_ == this || scheduler_.stopping_; });
        if (scheduler_.stopping_) {
            return;
        }
        lock.unlock();
        work_();
        work_ = nullptr;
        scheduler_.idle_.push_back(this);
        lock.lock();
        scheduler_.running_ = nullptr;
        scheduler_.owner_turn_.notify_one();
    }
}

void Task::hand_back() {
    std::unique_lock lock(scheduler_.mutex_);
    scheduler_.running_ = nullptr;
    scheduler_.owner_turn_.notify_one();
    turn_.wait(lock, [this] { return scheduler_.running_ == this; });
}

void Task::yield() {
    scheduler_.yielded_.push_back(this);
    hand_back();
}

void Task::wait_for_device() {
    scheduler_.at_device_.push_back(this);
    hand_back();
}

void Task::sleep_for(std::chrono::nanoseconds duration) {
    const TaskScheduler::Clock::time_point now = TaskScheduler::Clock::now();
    // A time that the clock cannot represent, some 290 years away, has already passed for QEMU.
    const bool overflows = duration > TaskScheduler::Clock::time_point::max() - now;
    scheduler_.asleep_.emplace(overflows ? now : now + duration, this);
    hand_back();
}

void Task::park(Task* awaited) {
    awaited_ = awaited;
    hand_back();
    awaited_ = nullptr;
}

void Task::wake() {
    scheduler_.woken_.push_back(this);
}

TaskScheduler::~TaskScheduler() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    for (const std::unique_ptr<Task>& task : tasks_) {
        task->turn_.notify_one();
    }
}

void TaskScheduler::hand_to(Task& task) {
    std::unique_lock lock(mutex_);
    running_ = &task;
    task.turn_.notify_one();
    owner_turn_.wait(lock, [this] { return running_ == nullptr; });
}

/// Adds an idle task. Space in the lists is reserved first, because a task cannot be removed: its thread waits for
/// work.
bool TaskScheduler::add_task() {
    try {
        if (tasks_.size() == tasks_.capacity()) {
            tasks_.reserve(2 * tasks_.size() + 1);
        }
        idle_.reserve(tasks_.capacity()); // so that a task that ends can be stored
        tasks_.push_back(std::make_unique<Task>(*this));
    } catch (const std::exception&) { // no thread, or no memory
        return false;
    }
    idle_.push_back(tasks_.back().get());
    return true;
}

bool TaskScheduler::start(std::function<void()> work) {
    if (idle_.empty() && !add_task()) {
        return false;
    }
    Task& task = *idle_.back();
    idle_.pop_back();
    task.work_ = std::move(work);
    first_step_ = true;
    hand_to(task);
    drain_woken();
    return true;
}

void TaskScheduler::run_woken() {
    first_step_ = true;
    drain_woken();
}

void TaskScheduler::drain_woken() {
    while (!woken_.empty()) {
        Task& task = *woken_.front();
        woken_.pop_front();
        hand_to(task);
    }
}

bool TaskScheduler::can_step() const {
    return !deferred_.empty() || !yielded_.empty() || !at_device_.empty() ||
           (!asleep_.empty() && asleep_.begin()->first <= Clock::now());
}

bool TaskScheduler::step(bool wait) {
    const std::vector<std::function<void()>> deferred = std::exchange(deferred_, {});
    const std::vector<Task*> yielded = std::exchange(yielded_, {});
    std::vector<Task*> at_device = std::exchange(at_device_, {});
    if (std::exchange(first_step_, false)) {
        std::reverse(at_device.begin(), at_device.end());
    }
    bool found = !deferred.empty() || !yielded.empty() || !at_device.empty();
    if (!found && wait && !asleep_.empty()) {
        std::this_thread::sleep_until(asleep_.begin()->first);
    }
    const Clock::time_point now = Clock::now();
    std::for_each(deferred.rbegin(), deferred.rend(), [](const std::function<void()>& work) { work(); });
    const auto go_on = [this](Task* task) {
        hand_to(*task);
        drain_woken();
    };
    std::for_each(yielded.begin(), yielded.end(), go_on);
    std::for_each(at_device.begin(), at_device.end(), go_on);
    // This loop allocates nothing: a task would be lost if memory ran out.
    while (!asleep_.empty() && asleep_.begin()->first <= now) {
        found = true;
        go_on(asleep_.extract(asleep_.begin()).mapped());
    }
    return found;
}

} // namespace zoneio
