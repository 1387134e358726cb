// SPDX-License-Identifier: GPL-3.0-or-later
//
// Power cuts: if any writes since the last flush are lost, every write pointer is at least where that flush saw it, and
// the data below it is unchanged. Environment: ZONEIO_POWER_CUTS, number of cuts (20000 for the long run), and
// ZONEIO_SEED.
#include "test_setting.h"
#include "zoned_load.h"

#include <gtest/gtest.h>
#include <optional>

namespace zoneio {
namespace {

using testing::RecordedDevice;
using testing::RecordedFile;
using testing::setting;
using testing::ZonedLoad;

class PowerCuts : public ::testing::Test {
protected:
    void run(unsigned seed, unsigned long cuts);
    void start(const std::vector<uint8_t>& image);
    void stop();
    void maybe_cut();

    std::mt19937 random_;
    std::mt19937 cut_random_;
    ZoneGeometry geometry_;
    std::unique_ptr<RecordedDevice> device_;
    std::optional<ZonedLoad> load_;
    std::vector<uint8_t> survivor_; ///< the image after a cut, to continue with
    uint64_t flush_failure_rate_ = 100; ///< one of this many flushes fails
    unsigned long cuts_left_ = 0;
    unsigned long cuts_done_ = 0;
    bool cutting_ = false;
};

void restart_machine(std::vector<uint8_t>& image) {
    image[ZonedLayout::session + offsetof(ZonedSession, boot_id)] = 'x';
}

void PowerCuts::start(const std::vector<uint8_t>& image) {
    device_ = std::make_unique<RecordedDevice>(RecordedFile(image), geometry_);
    ASSERT_EQ(device_->error, "");
    device_->recorder->on_event = [this] { maybe_cut(); };
    device_->recorder->flush_fails = [this] { return random_() % flush_failure_rate_ == 0; };
}

void PowerCuts::stop() {
    cutting_ = true;
    device_.reset();
    cutting_ = false;
}

/// Cuts the power at some events and checks the image as after a restart.
void PowerCuts::maybe_cut() {
    if (cutting_ || cuts_left_ == 0 || cut_random_() % 4 != 0) {
        return;
    }
    cutting_ = true;
    cuts_left_--;
    cuts_done_++;
    std::vector<uint8_t> image = device_->recorder->cut(cut_random_);
    restart_machine(image);
    const RecordedDevice after(RecordedFile(image), geometry_);
    EXPECT_EQ(after.error, "");
    if (after.node != nullptr) {
        load_->expect_flushed_or_newer(*after.node);
    }
    if (cut_random_() % 40 == 0) {
        survivor_ = image;
    }
    cutting_ = false;
}

void PowerCuts::run(unsigned seed, unsigned long cuts) {
    random_.seed(seed);
    cut_random_.seed(seed + 1);
    geometry_ = testing::random_geometry(random_);
    flush_failure_rate_ = random_() % 2 == 0 ? 100 : 4;
    cuts_left_ = cuts;
    start(testing::blank_image(geometry_));
    load_.emplace(geometry_, random_);
    while (cuts_left_ > 0 && !HasFailure()) {
        if (load_->step(*device_->node)) {
            load_->remember_flush();
        }
        device_->recorder->event();
        if (!survivor_.empty()) {
            stop();
            start(survivor_);
            load_.emplace(geometry_, random_);
            load_->take_over(*device_->node);
            load_->remember_flush();
            survivor_.clear();
        }
    }
    stop();
    if (HasFailure()) {
        FAIL() << "seed " << seed << ", cut " << cuts_done_;
    }
}

TEST_F(PowerCuts, EveryZoneIsAsFlushedOrLater) {
    const unsigned long cuts = setting("ZONEIO_POWER_CUTS", 1000);
    const unsigned long first_seed = setting("ZONEIO_SEED", 1);
    constexpr unsigned long cuts_per_device = 100;
    for (unsigned long seed = first_seed; cuts_done_ < cuts && !HasFailure(); seed++) {
        run(static_cast<unsigned>(seed), std::min(cuts_per_device, cuts - cuts_done_));
    }
    RecordProperty("cuts", static_cast<int>(cuts_done_));
    printf("%lu power cuts\n", static_cast<unsigned long>(cuts_done_));
}

} // namespace
} // namespace zoneio
