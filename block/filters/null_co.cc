// SPDX-License-Identifier: GPL-3.0-or-later
//
// The drivers `null-co` and `null-aio`: a device that stores nothing. Here they differ only in name.
#include "block/base/size.h"
#include "block/node/driver_rows.h"

#include <chrono>
#include <cstring>
#include <thread>

namespace zoneio {

namespace {

constexpr std::string_view null_keys[] = {"size", "latency-ns", "read-zeroes"};

class NullDriver final : public BlockDriver {
public:
    template <const DriverInfo& Info>
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        context.filename = shown_name(Info.name, options);
        auto driver = std::make_unique<NullDriver>();
        uint64_t latency = 0;
        TRY(options.take_all({OptionTarget::size("size", driver->size_),
                              OptionTarget::number("latency-ns", latency),
                              {"read-zeroes", driver->read_zeroes_}}));
        if (latency > static_cast<uint64_t>(INT64_MAX)) {
            return Status::invalid("latency-ns is invalid");
        }
        if (driver->size_ > static_cast<uint64_t>(INT64_MAX)) {
            driver->size_ = 0;
        }
        if (driver->size_ > static_cast<uint64_t>(max_image_length)) {
            return Status::error(EFBIG, std::string("Could not refresh total sector count: ") + strerror(EFBIG));
        }
        driver->latency_ = std::chrono::nanoseconds(latency);
        driver->traits_.passes_fua = true;
        driver->traits_.completes_at_once = driver->latency_.count() == 0;
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    template <const DriverInfo& Info>
    static Status parse_filename(const std::string& name, Options& /*options*/) {
        const std::string only = std::string(Info.name) + "://";
        return name == only ? Status()
                            : Status::invalid("The only allowed filename for this driver is '" + only + "'");
    }

    Status preadv(uint64_t /*offset*/, const IoVec& iov) override {
        if (read_zeroes_) {
            iov.fill(0, iov.bytes(), 0);
        }
        return wait();
    }

    Status pwritev(uint64_t /*offset*/, const IoVec& /*iov*/, WriteFlags /*flags*/) override { return wait(); }
    Status flush() override { return wait(); }

    Result<BlockExtent> block_status(uint64_t /*offset*/, uint64_t bytes, bool /*want_zero*/) override {
        return BlockExtent{bytes, false, read_zeroes_};
    }

    Result<uint64_t> length() override { return size_; }

private:
    /// `null-co://` if there are no options, otherwise the equivalent JSON.
    static std::string shown_name(std::string_view driver, const Options& options) {
        Options shown;
        for (const std::string_view key : null_keys) {
            if (const OptionValue* value = options.find(key)) {
                shown.set(std::string(key), *value);
            }
        }
        shown.erase("latency-ns"); // not shown, because it does not change the device
        if (shown.empty()) {
            return std::string(driver) + "://";
        }
        shown.set("driver", std::string(driver));
        return "json:" + shown.to_json();
    }

    Status wait() const {
        if (latency_.count() > 0) {
            std::this_thread::sleep_for(latency_);
        }
        return {};
    }

    uint64_t size_ = 1U << 30;
    std::chrono::nanoseconds latency_{0};
    bool read_zeroes_ = false;
};

} // namespace

const DriverInfo null_aio_driver{"null-aio",
                                 true,
                                 false,
                                 NullDriver::parse_filename<null_aio_driver>,
                                 NullDriver::create<null_aio_driver>,
                                 null_keys};
const DriverInfo null_co_driver{"null-co",
                                true,
                                false,
                                NullDriver::parse_filename<null_co_driver>,
                                NullDriver::create<null_co_driver>,
                                null_keys};

} // namespace zoneio
