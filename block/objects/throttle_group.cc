// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/throttle_group.h"

#include "block/base/worker_thread.h"
#include "block/objects/object_properties.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <map>
#include <memory>

namespace zoneio {

namespace {

constexpr std::array<std::string_view, ThrottleLimits::kinds> limit_names{"bps-total",  "bps-read",  "bps-write",
                                                                  "iops-total", "iops-read", "iops-write"};

constexpr std::string_view older_prefix = "x-";
constexpr std::string_view newer_name = "limits";

Status check_limit(const ThrottleLimit& limit) {
    if (limit.average > ThrottleLimits::largest || limit.maximum > ThrottleLimits::largest) {
        return Status::invalid(fmt::format("bps/iops/max values must be within [0, {}]", ThrottleLimits::largest));
    }
    if (limit.burst_length == 0) {
        return Status::invalid("the burst length cannot be 0");
    }
    if (limit.burst_length > 1 && limit.maximum == 0) {
        return Status::invalid("burst length set without burst rate");
    }
    if (limit.maximum != 0 && limit.burst_length > ThrottleLimits::largest / limit.maximum) {
        return Status::invalid("burst length too high for this burst rate");
    }
    if (limit.maximum != 0 && limit.average == 0) {
        return Status::invalid("bps_max/iops_max require corresponding bps/iops values");
    }
    if (limit.maximum != 0 && limit.maximum < limit.average) {
        return Status::invalid("bps_max/iops_max cannot be lower than bps/iops");
    }
    return {};
}

/// True if a limit for all requests is set together with one for reads or for writes.
bool conflicts(const ThrottleLimits& all, ThrottleLimits::Kind total) {
    const auto& limits = all.limits;
    const ThrottleLimit& reads = limits[total + 1U];
    const ThrottleLimit& writes = limits[total + 2U];
    return (limits[total].average != 0 && (reads.average != 0 || writes.average != 0)) ||
           (limits[total].maximum != 0 && (reads.maximum != 0 || writes.maximum != 0));
}

/// Without a burst, a bucket may hold what the average rate lets through in this time.
constexpr double without_burst_seconds = 0.1;

constexpr std::chrono::hours longest_wait(1);
/// Interval at which a wait checks for interrupts.
constexpr std::chrono::milliseconds poll_interval(100);

std::map<std::string, std::unique_ptr<ThrottleGroup>, std::less<>>& groups() {
    static std::map<std::string, std::unique_ptr<ThrottleGroup>, std::less<>> all;
    return all;
}

/// A number of the limits, with the name of its property.
struct Setting {
    std::string name;
    uint64_t* target;
    bool is_length = false;
};

std::vector<Setting> settings_of(ThrottleLimits& all) {
    std::vector<Setting> settings;
    for (size_t kind = 0; kind < ThrottleLimits::kinds; kind++) {
        const std::string name(limit_names[kind]);
        ThrottleLimit& limit = all.limits[kind];
        settings.push_back({name, &limit.average});
        settings.push_back({name + "-max", &limit.maximum});
        settings.push_back({name + "-max-length", &limit.burst_length, true});
    }
    settings.push_back({"iops-size", &all.request_bytes});
    return settings;
}

/// Sets the property `x-iops-total` or another single one.
Status set_one(const Setting& setting, int64_t value) {
    if (value < 0) {
        return Status::invalid("Property values cannot be negative");
    }
    if (setting.is_length && value > int64_t{UINT32_MAX}) {
        return Status::invalid(fmt::format("{}{} value must be in therange [0, {}]", older_prefix, setting.name, UINT32_MAX));
    }
    *setting.target = static_cast<uint64_t>(value);
    return {};
}

/// Sets the properties of `limits`, which must fit together and fit those set already.
Status set_several(ThrottleLimits& all, const Options& properties) {
    for (const Setting& setting : settings_of(all)) {
        const std::optional<int64_t> value = number_of(properties, fmt::format("{}.{}", newer_name, setting.name));
        if (!value) {
            continue;
        }
        if (setting.is_length && *value > int64_t{UINT32_MAX}) {
            return Status::invalid(fmt::format("{} value must be in the range [0, {}]", setting.name, UINT32_MAX));
        }
        // A negative number becomes a huge one, which the check refuses.
        *setting.target = static_cast<uint64_t>(*value);
    }
    return all.check();
}

} // namespace

Result<ThrottleLimits> ThrottleLimits::from_properties(const Options& properties) {
    ThrottleLimits all;
    std::map<std::string, Setting> settings;
    for (Setting& setting : settings_of(all)) {
        settings.emplace(std::string(older_prefix) + setting.name, std::move(setting));
    }
    for (const std::string& name : properties.names()) {
        if (name == newer_name) {
            TRY(set_several(all, properties));
        } else if (const auto setting = settings.find(name); setting != settings.end()) {
            TRY(set_one(setting->second, number_of(properties, name).value_or(0)));
        }
    }
    return all;
}

Status ThrottleLimits::check() const {
    if (conflicts(*this, bps_total) || conflicts(*this, iops_total)) {
        return Status::invalid("bps/iops/max total values and read/write values cannot be used at the same time");
    }
    const auto is_set = [&](Kind kind) { return limits[kind].average != 0; };
    if (request_bytes != 0 && !is_set(iops_total) && !is_set(iops_read) && !is_set(iops_write)) {
        return Status::invalid("iops size requires an iops value to be set");
    }
    for (const ThrottleLimit& limit : limits) {
        TRY(check_limit(limit));
    }
    return {};
}

void ThrottleGroup::leak(Clock::time_point now) {
    const double seconds = std::chrono::duration<double>(now - last_leak_).count();
    last_leak_ = now;
    for (size_t kind = 0; kind < ThrottleLimits::kinds; kind++) {
        const ThrottleLimit& limit = limits_.limits[kind];
        Bucket& bucket = buckets_[kind];
        bucket.level = std::max(0.0, bucket.level - static_cast<double>(limit.average) * seconds);
        bucket.burst_level = std::max(0.0, bucket.burst_level - static_cast<double>(limit.maximum) * seconds);
    }
}

double ThrottleGroup::seconds_to_wait(const ThrottleLimit& limit, const Bucket& bucket) const {
    if (limit.average == 0) {
        return 0;
    }
    const auto average = static_cast<double>(limit.average);
    const auto maximum = static_cast<double>(limit.maximum);
    const double room = limit.maximum == 0 ? average * without_burst_seconds
                                           : maximum * static_cast<double>(limit.burst_length);
    const double wait = std::max(0.0, (bucket.level - room) / average);
    if (limit.burst_length <= 1) {
        return wait;
    }
    return std::max(wait, (bucket.burst_level - maximum * without_burst_seconds) / maximum);
}

ThrottleGroup::Clock::duration ThrottleGroup::delay(bool is_write, Clock::time_point now) {
    leak(now);
    double seconds = 0;
    for (const ThrottleLimits::Kind kind :
         {ThrottleLimits::bps_total, is_write ? ThrottleLimits::bps_write : ThrottleLimits::bps_read, ThrottleLimits::iops_total,
          is_write ? ThrottleLimits::iops_write : ThrottleLimits::iops_read}) {
        seconds = std::max(seconds, seconds_to_wait(limits_.limits[kind], buckets_[kind]));
    }
    // Limits the wait to what every clock can represent; a waiting request asks again.
    return std::chrono::ceil<Clock::duration>(std::min(std::chrono::duration<double>(seconds), std::chrono::duration<double>(longest_wait)));
}

void ThrottleGroup::count(bool is_write, uint64_t bytes) {
    const bool is_large = limits_.request_bytes != 0 && bytes > limits_.request_bytes;
    const double requests = is_large ? static_cast<double>(bytes) / static_cast<double>(limits_.request_bytes) : 1;
    const auto fill = [&](ThrottleLimits::Kind kind, double units) {
        buckets_[kind].level += units;
        buckets_[kind].burst_level += units;
    };
    fill(ThrottleLimits::bps_total, static_cast<double>(bytes));
    fill(is_write ? ThrottleLimits::bps_write : ThrottleLimits::bps_read, static_cast<double>(bytes));
    fill(ThrottleLimits::iops_total, requests);
    fill(is_write ? ThrottleLimits::iops_write : ThrottleLimits::iops_read, requests);
}

bool ThrottleGroup::wait(Lock& lock, std::condition_variable& change, Clock::time_point end) {
    if (!may_be_interrupted()) {
        change.wait_until(lock, end);
        return true;
    }
    if (interrupt_requested()) {
        return false;
    }
    change.wait_until(lock, std::min(end, Clock::now() + poll_interval));
    return true;
}

Status ThrottleGroup::admit(bool is_write, uint64_t bytes) {
    Lock lock(mutex_);
    // A waiting request keeps later requests of its direction waiting too.
    Turn& turn = turns_[is_write ? 1 : 0];
    bool goes_on = true;
    while (goes_on && turn.is_taken) {
        goes_on = wait(lock, turn.ended, Clock::now() + longest_wait);
    }
    if (!goes_on) {
        // The end of the turn may have woken this request alone.
        turn.ended.notify_one();
        return Status::from_errno(EINTR);
    }
    turn.is_taken = true;
    while (goes_on && lifted_ == 0) {
        const Clock::time_point now = Clock::now();
        const Clock::duration time = delay(is_write, now);
        if (time <= Clock::duration::zero()) {
            break;
        }
        goes_on = wait(lock, lifted_changed_, now + time);
    }
    turn.is_taken = false;
    turn.ended.notify_one();
    if (!goes_on) {
        return Status::from_errno(EINTR);
    }
    count(is_write, bytes);
    return {};
}

void ThrottleGroup::lift(bool on) {
    const std::lock_guard lock(mutex_);
    lifted_ += on ? 1U : -1U;
    lifted_changed_.notify_all();
}

ThrottleGroup* find_throttle_group(std::string_view id) {
    const auto found = groups().find(id);
    return found == groups().end() ? nullptr : found->second.get();
}

std::vector<std::string> throttle_group_ids() {
    std::vector<std::string> ids;
    for (const auto& [id, group] : groups()) {
        ids.emplace_back(id);
    }
    return ids;
}

void add_throttle_group(const std::string& id, const ThrottleLimits& limits) {
    groups().emplace(id, std::make_unique<ThrottleGroup>(limits));
}

} // namespace zoneio
