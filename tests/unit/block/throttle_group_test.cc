// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/throttle_group.h"

#include <future>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

using Kind = ThrottleLimits::Kind;
using Clock = ThrottleGroup::Clock;
using Seconds = std::chrono::duration<double>;

ThrottleLimits limited(Kind kind, ThrottleLimit limit) {
    ThrottleLimits limits;
    limits.limits[kind] = limit;
    return limits;
}

/// A group with a simulated clock.
class Timeline {
public:
    explicit Timeline(const ThrottleLimits& limits) : group_(limits) { delay(); }

    double delay(bool is_write = false) {
        return Seconds(group_.delay(is_write, now_)).count();
    }
    void pass(double seconds) { now_ += std::chrono::duration_cast<Clock::duration>(Seconds(seconds)); }
    void request(uint64_t bytes, bool is_write = false) {
        delay(); // lets the bucket leak first
        group_.count(is_write, bytes);
    }

private:
    ThrottleGroup group_;
    Clock::time_point now_ = Clock::now() + std::chrono::hours(1);
};

TEST(ThrottleGroup, WithoutBurstATenthOfASecondPassesAtOnce) {
    Timeline time(limited(Kind::iops_total, {10, 0, 1}));
    EXPECT_EQ(time.delay(), 0);
    time.request(512);
    EXPECT_EQ(time.delay(), 0); // one request is worth a tenth of a second
    time.request(512);
    EXPECT_NEAR(time.delay(), 0.1, 1e-6);
    time.pass(0.06);
    EXPECT_NEAR(time.delay(true), 0.04, 1e-6); // writes count, too
    time.pass(0.04);
    EXPECT_NEAR(time.delay(), 0, 1e-6);
}

TEST(ThrottleGroup, ALargeRequestPassesAndTheNextOneWaitsForIt) {
    Timeline time(limited(Kind::bps_total, {1000, 0, 1}));
    time.request(5000);
    EXPECT_NEAR(time.delay(), 4.9, 1e-6);
}

TEST(ThrottleGroup, AWaitBeyondTheClockIsSplitIntoHours) {
    Timeline time(limited(Kind::bps_total, {1, 0, 1}));
    for (int i = 0; i < 8; i++) {
        time.request(uint64_t{1} << 62);
    }
    EXPECT_EQ(time.delay(), 3600);
    time.pass(3600);
    EXPECT_EQ(time.delay(), 3600);
}

TEST(ThrottleGroup, ReadsAndWritesHaveSeparateLimits) {
    Timeline time(limited(Kind::bps_write, {1000, 0, 1}));
    time.request(100000, false);
    EXPECT_EQ(time.delay(true), 0);
    time.request(1100, true);
    EXPECT_EQ(time.delay(false), 0);
    EXPECT_NEAR(time.delay(true), 1, 1e-6);
}

TEST(ThrottleGroup, ABurstMayUseTheWholeBucket) {
    Timeline time(limited(Kind::iops_total, {2, 4, 1}));
    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(time.delay(), 0);
        time.request(512);
    }
    EXPECT_EQ(time.delay(), 0);
    time.request(512);
    EXPECT_NEAR(time.delay(), 0.5, 1e-6);
}

TEST(ThrottleGroup, ALongBurstHasItsOwnRate) {
    Timeline time(limited(Kind::iops_total, {10, 100, 5}));
    for (int i = 0; i < 11; i++) {
        time.request(512);
    }
    EXPECT_NEAR(time.delay(), 0.01, 1e-6); // a tenth of a second at the burst rate, and one more
    time.pass(10);
    for (int i = 0; i < 600; i++) {
        time.request(512);
    }
    EXPECT_NEAR(time.delay(), 10, 1e-6); // the whole burst, and 100 more at the average rate
}

TEST(ThrottleGroup, LargeRequestsCountAsSeveral) {
    ThrottleLimits limits = limited(Kind::iops_read, {10, 0, 1});
    limits.request_bytes = 1024;
    Timeline time(limits);
    time.request(512);
    EXPECT_EQ(time.delay(), 0);
    time.pass(1);
    time.request(3584); // three and a half
    EXPECT_NEAR(time.delay(), 0.25, 1e-6);
}

TEST(ThrottleGroup, LiftingTheLimitsEndsWaiting) {
    ThrottleGroup group(limited(Kind::iops_total, {1, 0, 1}));
    group.count(false, 512);
    for (int i = 0; i < 1000; i++) {
        group.count(false, 512); // a quarter of an hour
    }
    auto waiting = std::async(std::launch::async, [&] { return group.admit(false, 512); });
    auto other = std::async(std::launch::async, [&] { return group.admit(true, 512); });
    group.lift(true);
    EXPECT_TRUE(waiting.get().ok());
    EXPECT_TRUE(other.get().ok());
    group.lift(false);
}

TEST(ThrottleLimits, NewerNamesAreAccepted) {
    Options properties;
    properties.set("x-iops-total", "5");
    properties.set("limits.iops-total", int64_t{6});
    properties.set("limits.iops-total-max", "0x10");
    const Result<ThrottleLimits> limits = ThrottleLimits::from_properties(properties);
    ASSERT_TRUE(limits.ok());
    EXPECT_EQ(limits->limits[Kind::iops_total].average, 6U);
    EXPECT_EQ(limits->limits[Kind::iops_total].maximum, 16U);
}

} // namespace
} // namespace zoneio
