// SPDX-License-Identifier: GPL-3.0-or-later
//
// Power cuts: after any of the writes since the last flush were lost, every zone's pointer is at least where that
// flush saw it, and what is read below it is what was read there before. Environment: ZONEIO_POWER_CUTS, how many
// (20000 for the long run), and ZONEIO_SEED.
#include "block/node/driver_rows.h"
#include "block/node/node.h"
#include "block/zoned/header.h"

#include "recording_driver.h"
#include "test_setting.h"
#include "zone_reference.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <random>

namespace zoneio {
namespace {

using testing::RecordingDriver;
using testing::ReferenceDevice;
using testing::ReferenceZone;
using testing::setting;

constexpr uint64_t block = 512;

const DriverInfo recording_info{"recording", true, false, nullptr, nullptr, {}};

/// The driver over a recording file, with the recorder in reach.
struct Device {
    RecordingDriver* recorder = nullptr;
    std::unique_ptr<BlockNode> node;
    std::string error;

    Device(const std::vector<uint8_t>& image, const ZoneGeometry& geometry) {
        auto made = std::make_unique<RecordingDriver>(image, ZonedLayout::table + ZonedLayout::table_bytes(geometry));
        recorder = made.get();
        OpenContext context;
        context.flags.unmap = true;
        context.child = std::make_unique<BlockNode>(recording_info, std::move(made), context.flags, "file", "file");
        Options options;
        Result<std::unique_ptr<BlockDriver>> driver = zoned_driver.open(context, options);
        if (!driver.ok()) {
            error = driver.status().message();
            recorder = nullptr;
            return;
        }
        node = std::make_unique<BlockNode>(zoned_driver, std::move(*driver), context.flags, "zoned", "");
    }
};

/// A device as format makes it, and as if the machine had been started anew since: by its boot id.
std::vector<uint8_t> blank_image(const ZoneGeometry& geometry) {
    std::vector<uint8_t> image(ZonedLayout::file_bytes(geometry));
    const ZonedHeaderBytes header = encode_zoned_header(geometry);
    memcpy(image.data(), header.data(), header.size());
    memcpy(image.data() + ZonedLayout::header_copy, header.data(), header.size());
    return image;
}

void restart_machine(std::vector<uint8_t>& image) {
    memset(image.data() + ZonedLayout::session, 0, sizeof(ZonedSession::boot_id));
    image[ZonedLayout::session] = 'x';
}

/// What a zone has held since the last flush: one history from each reset to the next.
struct History {
    size_t flushed_bytes = 0; ///< of the first
    std::vector<std::vector<uint8_t>> contents;
    bool was_offline = false;
};

class PowerCuts : public ::testing::Test {
protected:
    void run(unsigned seed, unsigned long cuts);

    void start(const std::vector<uint8_t>& image);
    void step();
    void write();
    void append();
    void manage();
    void condition();
    void after_change();
    void remember_flush();
    void maybe_cut();
    void verify(const std::vector<uint8_t>& image);
    void verify_zone(BlockNode& node, size_t index, const ZoneDescriptor& shown);
    void adopt(const std::vector<uint8_t>& image);

    uint64_t below(uint64_t end) { return random_() % end; }
    std::vector<uint8_t> fresh_data(uint64_t bytes) {
        std::vector<uint8_t> data(bytes);
        for (uint64_t i = 0; i < bytes; i += sizeof(uint32_t)) {
            const auto value = static_cast<uint32_t>(random_());
            memcpy(data.data() + i, &value, sizeof(value));
        }
        return data;
    }

    std::mt19937 random_;
    std::mt19937 cut_random_;
    ZoneGeometry geometry_;
    std::unique_ptr<Device> device_;
    std::unique_ptr<ReferenceDevice> reference_;
    std::vector<History> histories_;
    std::vector<uint8_t> survivor_; ///< a cut image to go on with
    uint64_t flush_failure_rate_ = 100; ///< one in so many
    unsigned long cuts_left_ = 0;
    unsigned long cuts_done_ = 0;
    bool cutting_ = false;
};

ZoneGeometry random_geometry(std::mt19937& random) {
    ZoneGeometry geometry;
    geometry.zone_size = block * (16 + random() % 40);
    geometry.zone_capacity = geometry.zone_size - block * (random() % 8);
    geometry.size = geometry.zone_size * (6 + random() % 6) - block * (random() % 3);
    geometry.conventional_zones = random() % 3;
    geometry.max_open_zones = random() % 4;
    geometry.max_active_zones = random() % 6;
    return geometry;
}

void PowerCuts::start(const std::vector<uint8_t>& image) {
    device_ = std::make_unique<Device>(image, geometry_);
    ASSERT_EQ(device_->error, "");
    device_->recorder->on_event = [this] { maybe_cut(); };
    device_->recorder->flush_fails = [this] { return below(flush_failure_rate_) == 0; };
}

/// The histories go on with what the zone holds now.
void PowerCuts::after_change() {
    for (size_t i = 0; i < histories_.size(); i++) {
        const ReferenceZone& zone = reference_->zones[i];
        History& history = histories_[i];
        history.was_offline |= zone.state == ZoneState::offline;
        std::vector<uint8_t>& latest = history.contents.back();
        const bool goes_on = zone.data.size() >= latest.size() && std::equal(latest.begin(), latest.end(), zone.data.begin());
        if (goes_on) {
            latest = zone.data;
        } else {
            history.contents.push_back(zone.data);
        }
    }
}

void PowerCuts::remember_flush() {
    histories_.clear();
    for (const ReferenceZone& zone : reference_->zones) {
        histories_.push_back({zone.data.size(), {zone.data}, zone.state == ZoneState::offline});
    }
}

void PowerCuts::write() {
    const uint64_t zone = below(geometry_.zone_count());
    const uint64_t pointer = reference_->zones[zone].conventional ? block * below(geometry_.zone_length(zone) / block)
                                                                   : reference_->zones[zone].data.size();
    const uint64_t room = geometry_.zone_length(zone) - std::min(pointer, geometry_.zone_length(zone));
    if (room == 0) {
        return;
    }
    std::vector<uint8_t> data = fresh_data(block * (1 + below(std::min<uint64_t>(room / block, 6))));
    const bool zeros = below(6) == 0;
    if (zeros) {
        std::fill(data.begin(), data.end(), uint8_t{0});
    }
    // While it is under way the zone may be found with the data, or without.
    if (!reference_->zones[zone].conventional && reference_->zones[zone].data.size() == pointer) {
        histories_[zone].contents.back().insert(histories_[zone].contents.back().end(), data.begin(), data.end());
    }
    const uint64_t offset = geometry_.zone_start(zone) + pointer;
    const Status status = zeros ? device_->node->pwrite_zeroes(offset, data.size(), {true, true, false})
                                : device_->node->pwritev(offset, IoVec(data.data(), data.size()), {});
    if (status.ok()) {
        EXPECT_EQ(reference_->write(zone, pointer, data), 0);
    } else {
        // Without the zone's own reasons it was an injected failure of a flush.
        histories_[zone].contents.push_back(reference_->zones[zone].data);
    }
}

void PowerCuts::append() {
    const uint64_t zone = geometry_.conventional_zones + below(geometry_.zone_count() - geometry_.conventional_zones);
    std::vector<uint8_t> data = fresh_data(block * (1 + below(4)));
    histories_[zone].contents.back().insert(histories_[zone].contents.back().end(), data.begin(), data.end());
    const uint64_t pointer = reference_->zones[zone].data.size();
    const Result<uint64_t> position = device_->node->zone_append(geometry_.zone_start(zone), IoVec(data.data(), data.size()), {});
    if (position.ok()) {
        EXPECT_EQ(*position, geometry_.zone_start(zone) + pointer);
        EXPECT_EQ(reference_->write(zone, pointer, data), 0);
    } else {
        histories_[zone].contents.push_back(reference_->zones[zone].data);
    }
}

void PowerCuts::manage() {
    const uint64_t zones = geometry_.zone_count();
    const auto op = static_cast<ZoneOp>(below(4));
    uint64_t first = geometry_.conventional_zones + below(zones - geometry_.conventional_zones);
    uint64_t count = below(4) == 0 ? 1 + below(zones - first) : 1;
    if (below(30) == 0) {
        first = 0;
        count = zones;
    }
    const uint64_t end = std::min(geometry_.size, (first + count) * geometry_.zone_size);
    // What is under way may be found done in some zones and not in others.
    for (uint64_t zone = first; zone < first + count; zone++) {
        std::vector<std::vector<uint8_t>>& contents = histories_[zone].contents;
        if (op == ZoneOp::finish && !reference_->zones[zone].conventional) {
            contents.back().resize(std::max(contents.back().size(), reference_->zones[zone].length));
        }
    }
    const std::vector<ZoneState> before = [&] {
        std::vector<ZoneState> states;
        for (const ReferenceZone& zone : reference_->zones) {
            states.push_back(zone.state);
        }
        return states;
    }();
    (void)device_->node->zone_mgmt(op, geometry_.zone_start(first), end - geometry_.zone_start(first));
    // With failing flushes only the device knows which zones were done: its report is believed, the data checked.
    reference_->manage_range(op, first, count);
}

void PowerCuts::condition() {
    const uint64_t zone = geometry_.conventional_zones + below(geometry_.zone_count() - geometry_.conventional_zones);
    constexpr ZoneState conditions[] = {ZoneState::read_only, ZoneState::offline, ZoneState::empty, ZoneState::empty};
    // After a cut nobody here knows what an offline zone holds: it comes back empty only.
    const bool is_offline = reference_->zones[zone].state == ZoneState::offline;
    const ZoneState state = is_offline ? ZoneState::empty : conditions[below(4)];
    if (state == ZoneState::read_only) {
        histories_[zone].contents.back().resize(geometry_.zone_length(zone));
    }
    histories_[zone].was_offline |= state == ZoneState::offline;
    const Status status = device_->node->set_zone_condition(geometry_.zone_start(zone), geometry_.zone_length(zone), state);
    if (status.ok()) {
        reference_->set_condition(zone, state);
    }
}

/// Takes what the device says as what is so, where an injected failure left that open.
void settle(ReferenceDevice& reference, BlockNode& node) {
    (void)node.zone_report(0, reference.zones.size(), [&](const ZoneDescriptor& shown) {
        ReferenceZone& zone = *std::find_if(reference.zones.begin(), reference.zones.end(),
                                            [&](const ReferenceZone& z) { return z.start == shown.start; });
        if (zone.conventional || (zone.state == shown.state && (shown.write_pointer == no_write_pointer ||
                                                                 shown.write_pointer == shown.start + zone.data.size()))) {
            return;
        }
        zone.state = shown.state;
        const uint64_t readable = shown.write_pointer == no_write_pointer ? shown.length : shown.write_pointer - shown.start;
        std::vector<uint8_t> data(readable);
        if (readable > 0 && shown.state != ZoneState::offline) {
            EXPECT_TRUE(node.preadv(shown.start, IoVec(data.data(), data.size())).ok());
        }
        zone.data = data;
    });
}

void PowerCuts::step() {
    const uint64_t kind = below(100);
    if (kind < 45) {
        write();
    } else if (kind < 60) {
        append();
    } else if (kind < 85) {
        manage();
    } else if (kind < 87) {
        condition();
    } else if (device_->node->flush().ok()) {
        settle(*reference_, *device_->node);
        remember_flush();
    }
    device_->recorder->event();
    settle(*reference_, *device_->node);
    after_change();
}

/// A cut at this event: the image is looked at as after a restart.
void PowerCuts::maybe_cut() {
    if (cutting_ || cuts_left_ == 0 || cut_random_() % 4 != 0) {
        return;
    }
    cutting_ = true;
    cuts_left_--;
    cuts_done_++;
    std::vector<uint8_t> image = device_->recorder->cut(cut_random_);
    restart_machine(image);
    verify(image);
    if (cut_random_() % 40 == 0) {
        survivor_ = image;
    }
    cutting_ = false;
}

void PowerCuts::verify(const std::vector<uint8_t>& image) {
    const Device after(image, geometry_);
    ASSERT_EQ(after.error, "");
    size_t index = 0;
    const Result<uint64_t> shown = after.node->zone_report(
        0, geometry_.zone_count(), [&](const ZoneDescriptor& zone) { verify_zone(*after.node, index++, zone); });
    ASSERT_TRUE(shown.ok());
    ASSERT_EQ(index, histories_.size());
}

void PowerCuts::verify_zone(BlockNode& node, size_t index, const ZoneDescriptor& shown) {
    if (shown.type == ZoneType::conventional) {
        return;
    }
    const History& history = histories_[index];
    if (shown.state == ZoneState::offline) {
        EXPECT_TRUE(history.was_offline) << "zone " << index << " is offline and never was";
        return;
    }
    const uint64_t pointer = shown.write_pointer == no_write_pointer ? shown.length : shown.write_pointer - shown.start;
    std::vector<uint8_t> data(shown.length);
    // The report holds the driver's lock, reads do not take it.
    ASSERT_TRUE(node.preadv(shown.start, IoVec(data.data(), data.size())).ok());
    bool found = false;
    for (size_t i = 0; i < history.contents.size() && !found; i++) {
        const std::vector<uint8_t>& content = history.contents[i];
        const size_t least = i == 0 ? history.flushed_bytes : 0;
        found = pointer >= least && pointer <= content.size() && std::equal(data.begin(), data.begin() + static_cast<ptrdiff_t>(pointer), content.begin());
    }
    std::string lengths;
    for (const std::vector<uint8_t>& content : history.contents) {
        lengths.append(" ").append(std::to_string(content.size()));
    }
    EXPECT_TRUE(found) << "zone " << index << ": condition " << static_cast<int>(shown.state) << ", pointer " << pointer
                       << ", flushed at " << history.flushed_bytes << "; it held, in bytes:" << lengths;
    const bool clean = std::all_of(data.begin() + static_cast<ptrdiff_t>(pointer), data.end(), [](uint8_t b) { return b == 0xff; });
    EXPECT_TRUE(clean) << "zone " << index << ": stale bytes above its pointer";
}

/// Goes on with a device that has been through a cut.
void PowerCuts::adopt(const std::vector<uint8_t>& image) {
    start(image);
    reference_ = std::make_unique<ReferenceDevice>(geometry_);
    settle(*reference_, *device_->node);
    remember_flush();
}

void PowerCuts::run(unsigned seed, unsigned long cuts) {
    random_.seed(seed);
    cut_random_.seed(seed + 1);
    geometry_ = random_geometry(random_);
    flush_failure_rate_ = below(2) == 0 ? 100 : 4;
    cuts_left_ = cuts;
    start(blank_image(geometry_));
    reference_ = std::make_unique<ReferenceDevice>(geometry_);
    remember_flush();
    while (cuts_left_ > 0 && !HasFailure()) {
        step();
        if (!survivor_.empty()) {
            cutting_ = true;
            device_.reset();
            cutting_ = false;
            adopt(survivor_);
            survivor_.clear();
        }
    }
    cutting_ = true;
    device_.reset();
    cutting_ = false;
    if (HasFailure()) {
        FAIL() << "seed " << seed << ", cut " << cuts_done_;
    }
}

TEST_F(PowerCuts, EveryZoneIsAsFlushedOrNewer) {
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
