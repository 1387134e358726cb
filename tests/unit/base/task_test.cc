// SPDX-License-Identifier: GPL-3.0-or-later
//
// The order in which tasks run.
#include "block/base/task.h"

#include "failing_allocation.h"

#include <gtest/gtest.h>
#include <string>

namespace zoneio {
namespace {

class TaskTest : public ::testing::Test {
protected:
    /// One character for each event, appended by the running task or the owner.
    std::string log;
    TaskScheduler tasks;

    void start(std::function<void()> work) { ASSERT_TRUE(tasks.start(std::move(work))); }
};

TEST_F(TaskTest, RunsAtOnceUntilItStops) {
    EXPECT_EQ(Task::current(), nullptr);
    start([&] {
        log += 'a';
        Task::current()->yield();
        log += 'b';
    });
    EXPECT_EQ(log, "a");
    EXPECT_EQ(tasks.ready(), 1U);
    EXPECT_TRUE(tasks.step());
    EXPECT_EQ(log, "ab");
    EXPECT_FALSE(tasks.step());
}

TEST_F(TaskTest, YieldedTasksContinueInOrderAndDeviceWaitersNewestFirst) {
    for (const char name : {'a', 'b'}) {
        start([&, name] {
            Task::current()->wait_for_device();
            log += name;
        });
    }
    for (const char name : {'c', 'd'}) {
        start([&, name] {
            Task::current()->yield();
            log += name;
        });
    }
    tasks.defer([&] { log += '1'; });
    tasks.defer([&] { log += '2'; });
    EXPECT_TRUE(tasks.step());
    EXPECT_EQ(log, "21cdba");
}

TEST_F(TaskTest, AStepContinuesEachTaskOnce) {
    start([&] {
        for (const char c : {'a', 'b', 'c'}) {
            Task::current()->yield();
            log += c;
        }
    });
    tasks.step();
    EXPECT_EQ(log, "a");
    tasks.step();
    EXPECT_EQ(log, "ab");
    tasks.step();
}

TEST_F(TaskTest, AParkedTaskWaitsForItsWaker) {
    Task* parked = nullptr;
    start([&] {
        parked = Task::current();
        parked->park();
        log += 'p';
    });
    EXPECT_FALSE(tasks.step());
    // A task woken by another one continues when that one stops, before the owner.
    start([&] {
        parked->wake();
        log += 'w';
    });
    EXPECT_EQ(log, "wp");
}

TEST_F(TaskTest, ReportsWhichTaskIsAwaited) {
    Task* first = nullptr;
    Task* second = nullptr;
    start([&] {
        first = Task::current();
        first->park();
    });
    start([&] {
        second = Task::current();
        second->park(first);
    });
    EXPECT_EQ(second->awaited(), first);
    EXPECT_EQ(first->awaited(), nullptr);
    second->wake();
    first->wake();
    tasks.run_woken();
    EXPECT_EQ(second->awaited(), nullptr);
}

TEST_F(TaskTest, AStepWaitsForASleeperIfNothingElseCanRun) {
    start([&] {
        Task::current()->sleep_for(std::chrono::milliseconds(1));
        log += 's';
    });
    start([&] {
        Task::current()->yield();
        log += 'y';
    });
    while (tasks.step()) {
    }
    EXPECT_TRUE(log == "ys" || log == "sy") << log;
    EXPECT_FALSE(tasks.can_step());
}

TEST_F(TaskTest, ListenerHearsTasksAndTheOwner) {
    tasks.set_listener([&](std::string_view text) { log += text; });
    start([&] { Task::current()->scheduler().announce("task "); });
    tasks.announce("owner");
    EXPECT_EQ(log, "task owner");
}

TEST_F(TaskTest, StartFailsCleanlyWithoutMemory) {
    constexpr int most_tasks = 20;
    int done = 0;
    int started = 0;
    int refused = 0;
    for (long fails_after = 0; started < most_tasks; fails_after = (fails_after + 1) % 8) {
        std::function<void()> work = [&done] {
            Task::current()->yield();
            done++;
        };
        testing::allocations_left = fails_after;
        const bool is_started = tasks.start(std::move(work));
        testing::allocations_left = -1;
        (is_started ? started : refused)++;
    }
    EXPECT_GT(refused, 0);
    while (tasks.step()) {
    }
    EXPECT_EQ(done, started);
}

TEST_F(TaskTest, SleepsBeyondTheClockEndAtTheNextStep) {
    for (const std::chrono::nanoseconds duration : {std::chrono::nanoseconds::max(), std::chrono::nanoseconds(-1)}) {
        start([&, duration] {
            Task::current()->sleep_for(duration);
            log += 'a';
        });
    }
    EXPECT_TRUE(tasks.step(false));
    EXPECT_EQ(log, "aa");
}

} // namespace
} // namespace zoneio
