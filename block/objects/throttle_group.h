// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace zoneio {

/// One limit of a group, implemented as a leaky bucket.
struct ThrottleLimit {
    uint64_t average = 0;      ///< bytes or requests per second; 0: no limit
    uint64_t maximum = 0;      ///< burst rate, in the same unit; 0: a tenth of a second's worth may come at once
    uint64_t burst_length = 1; ///< longest burst, in seconds
};

/// All limits of a group.
struct ThrottleLimits {
    enum Kind : uint8_t { bps_total, bps_read, bps_write, iops_total, iops_read, iops_write };
    static constexpr size_t kinds = 6;
    static constexpr uint64_t largest = 1'000'000'000'000'000;

    std::array<ThrottleLimit, kinds> limits;
    uint64_t request_bytes = 0; ///< a request counts as one for each started unit of this size; 0: always as one

    /// Reads the limits from properties (`x-iops-total`, `limits.iops-total`, ...) whose types have been checked. They
    /// are set in the order of QEMU's dictionary; `limits` is refused if the values set so far are invalid. EINVAL with
    /// the reason.
    static Result<ThrottleLimits> from_properties(const Options& properties);
    /// EINVAL, with the reason, for limits that are out of range or contradict each other.
    Status check() const;
};

/// Requests that share limits (--object throttle-group). Thread-safe.
///
/// Each limit is a leaky bucket. A request waits until the level of each of its buckets is low enough, then adds its
/// full size to all of them. The next request waits for that.
class ThrottleGroup {
public:
    using Clock = std::chrono::steady_clock;

    explicit ThrottleGroup(const ThrottleLimits& limits) : limits_(limits) {}

    /// Waits for the request's turn and counts it. Does not wait while the group is lifted. EINTR: the user interrupted
    /// the command that waits on the main thread; the request is not counted.
    Status admit(bool is_write, uint64_t bytes);
    /// Suspends the limits while it has been called more often with true than with false.
    void lift(bool on);

    /// How long a request would have to wait at `now`. Used by admit() and by tests.
    Clock::duration delay(bool is_write, Clock::time_point now);
    /// Adds a request to the buckets.
    void count(bool is_write, uint64_t bytes);

private:
    struct Bucket {
        double level = 0;       ///< bytes or requests in the bucket
        double burst_level = 0; ///< the same for the bucket that limits the rate of a burst
    };

    using Lock = std::unique_lock<std::mutex>;

    /// One request of each direction at a time waits for the buckets; the others wait for the end of its turn.
    struct Turn {
        bool is_taken = false;
        std::condition_variable ended;
    };

    /// Waits for a change or `end`, or for a shorter time. False: interrupted by the user.
    static bool wait(Lock& lock, std::condition_variable& change, Clock::time_point end);
    void leak(Clock::time_point now);
    double seconds_to_wait(const ThrottleLimit& limit, const Bucket& bucket) const;

    const ThrottleLimits limits_;
    std::mutex mutex_;
    std::array<Turn, 2> turns_; ///< one queue for reads and one for writes
    std::condition_variable lifted_changed_;
    unsigned lifted_ = 0;
    std::array<Bucket, ThrottleLimits::kinds> buckets_;
    Clock::time_point last_leak_ = Clock::now();
};

/// The group with this id, or null.
ThrottleGroup* find_throttle_group(std::string_view id);
/// The ids of all groups.
std::vector<std::string> throttle_group_ids();
/// Adds a group. REQUIRES: no group has this id.
void add_throttle_group(const std::string& id, const ThrottleLimits& limits);

} // namespace zoneio
