// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `throttle`: requests wait until the limits of a group let them pass.
#include "block/node/driver_rows.h"
#include "block/node/filter.h"
#include "block/objects/throttle_group.h"

#include <atomic>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr std::string_view throttle_keys[] = {"file", "throttle-group"};

Result<ThrottleGroup*> take_group(Options& options) {
    const std::optional<std::string> id = options.take("throttle-group");
    if (!id) {
        return Status::invalid("Please specify a throttle group");
    }
    ThrottleGroup* const group = find_throttle_group(*id);
    if (group == nullptr) {
        return Status::invalid(fmt::format("Throttle group '{}' does not exist", *id));
    }
    return group;
}

class ThrottleDriver final : public FilterDriver {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        if (context.child == nullptr) {
            return missing_child();
        }
        ThrottleGroup* const group = TRY(take_group(options));
        auto driver = std::make_unique<ThrottleDriver>();
        driver->adopt(std::move(context.child));
        // A request may wait here, and how long depends on the number of requests.
        driver->traits_.completes_at_once = false;
        driver->traits_.counts_requests = true;
        driver->traits_.owns_flush = true;
        driver->traits_.keeps_writing = false;
        driver->group_ = group;
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    Status preadv(uint64_t offset, const IoVec& iov) override {
        TRY(group_.load()->admit(false, iov.bytes()));
        return FilterDriver::preadv(offset, iov);
    }
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        TRY(group_.load()->admit(true, iov.bytes()));
        return FilterDriver::pwritev(offset, iov, flags);
    }
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        TRY(group_.load()->admit(true, bytes));
        return FilterDriver::pwrite_zeroes(offset, bytes, flags);
    }
    Status pdiscard(uint64_t offset, uint64_t bytes) override {
        TRY(group_.load()->admit(true, bytes));
        return FilterDriver::pdiscard(offset, bytes);
    }

    void drain(bool on) override {
        group_.load()->lift(on);
        FilterDriver::drain(on);
    }

    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& /*flags*/) override {
        ThrottleGroup* const group = TRY(take_group(options));
        return reopen_by([this, group] { group_ = group; });
    }

private:
    std::atomic<ThrottleGroup*> group_{nullptr};
};

} // namespace

const DriverInfo throttle_driver{.name = "throttle",
                                 .is_protocol = false,
                                 .needs_filename = false,
                                 .parse_filename = nullptr,
                                 .open = ThrottleDriver::create,
                                 .option_keys = throttle_keys,
                                 .is_filter = true};

} // namespace zoneio
