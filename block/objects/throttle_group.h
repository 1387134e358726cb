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

/// One limit of a group: a bucket that requests fill and time empties.
struct ThrottleLimit {
    uint64_t average = 0;      ///< bytes or requests per second; 0: no limit
    uint64_t maximum = 0;      ///< the same for a burst; 0: a tenth of a second's worth may come at once
    uint64_t burst_length = 1; ///< seconds that a burst may last
};

/// What a group is limited to.
struct ThrottleLimits {
    enum Kind : uint8_t { bps_total, bps_read, bps_write, iops_total, iops_read, iops_write };
    static constexpr size_t kinds = 6;
    static constexpr uint64_t largest = 1'000'000'000'000'000;

    std::array<ThrottleLimit, kinds> limits;
    uint64_t request_bytes = 0; ///< how many bytes make one request more; 0: every request counts as one

    /// Takes them from properties, `x-iops-total` or `limits.iops-total` and so on, whose types have been checked. They are set
    /// in the order of upstream's dictionary, and `limits` is refused when that is wrong so far. EINVAL with the reason.
    static Result<ThrottleLimits> from_properties(const Options& properties);
    /// EINVAL with the reason for limits that cannot be, or do not go with each other.
    Status check() const;
};

/// Requests that share limits (--object throttle-group). Used by several threads.
///
/// Each limit is a leaky bucket. A request waits until all its buckets are filled no further than they may be, and
/// then adds itself to them, however large it is: the next one waits for it.
class ThrottleGroup {
public:
    using Clock = std::chrono::steady_clock;

    explicit ThrottleGroup(const ThrottleLimits& limits) : limits_(limits) {}

    /// Waits for the turn of a request, and counts it. Nobody waits while the group is lifted.
    void admit(bool is_write, uint64_t bytes);
    /// Lets everybody pass, for as long as this was called more often with true than with false.
    void lift(bool on);

    /// How long a request would have to wait at `now`. For admit(), and for tests.
    Clock::duration delay(bool is_write, Clock::time_point now);
    /// Counts a request.
    void count(bool is_write, uint64_t bytes);

private:
    struct Bucket {
        double level = 0;       ///< what is in it
        double burst_level = 0; ///< the same in the bucket that limits the rate of a burst
    };

    void leak(Clock::time_point now);
    double seconds_to_wait(const ThrottleLimit& limit, const Bucket& bucket) const;

    const ThrottleLimits limits_;
    std::array<std::mutex, 2> turns_; ///< reads and writes queue on their own
    std::mutex mutex_;
    std::condition_variable lifted_changed_;
    unsigned lifted_ = 0;
    std::array<Bucket, ThrottleLimits::kinds> buckets_;
    Clock::time_point last_leak_ = Clock::now();
};

/// The group of that id, or null.
ThrottleGroup* find_throttle_group(std::string_view id);
/// The ids of all groups.
std::vector<std::string> throttle_group_ids();
/// Makes a group; there is none of that id yet.
void add_throttle_group(const std::string& id, const ThrottleLimits& limits);

} // namespace zoneio
