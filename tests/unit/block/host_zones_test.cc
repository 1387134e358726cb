// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/host_zones.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>

namespace zoneio {
namespace {

constexpr uint64_t kib = 1024;
constexpr uint64_t zone_size = 1024 * kib;
constexpr uint64_t capacity = 768 * kib;
constexpr uint64_t short_zone = 512 * kib;
constexpr uint64_t zone_count = 8; // the first one is conventional, the last one shorter
constexpr uint64_t device_length = (zone_count - 1) * zone_size + short_zone;

/// A fake device: accepts writes only at the write pointer and within the capacity.
class FakeDevice : public ZonedDevice {
public:
    FakeDevice() {
        for (uint64_t i = 0; i < zone_count; i++) {
            ZoneDescriptor zone;
            zone.start = i * zone_size;
            zone.length = i + 1 == zone_count ? short_zone : zone_size;
            zone.capacity = std::min(zone.length, capacity);
            zone.write_pointer = i == 0 ? no_write_pointer : zone.start;
            zone.type = i == 0 ? ZoneType::conventional : ZoneType::sequential_required;
            zone.state = i == 0 ? ZoneState::not_write_pointer : ZoneState::empty;
            zones.push_back(zone);
        }
    }

    Status report_zones(uint64_t offset, size_t count, std::vector<ZoneDescriptor>& result) override {
        reports++;
        most_asked = std::max(most_asked, count);
        const uint64_t first = offset < device_length ? offset / zone_size : zone_count;
        const uint64_t last = std::min<uint64_t>(first + std::min<size_t>(count, per_call), zone_count);
        result.assign(zones.begin() + static_cast<long>(first), zones.begin() + static_cast<long>(last));
        return {};
    }

    Status manage_zones(ZoneOp op, uint64_t offset, uint64_t bytes) override {
        managed++;
        for (ZoneDescriptor& zone : zones) {
            if (zone.type == ZoneType::conventional || zone.start < offset || zone.start >= offset + bytes) {
                continue;
            }
            if (op == ZoneOp::reset) {
                zone.write_pointer = zone.start;
                zone.state = ZoneState::empty;
            } else if (op == ZoneOp::finish) {
                zone.write_pointer = zone.start + zone.length;
                zone.state = ZoneState::full;
            }
        }
        return std::exchange(next_error, Status());
    }

    Status write_data(uint64_t offset, const IoVec& iov) override {
        writes.push_back({offset, iov.bytes()});
        if (limit_error != 0) {
            // As in the kernel: the first request gets the limit's error, later ones are not at the write pointer.
            return Status::from_errno(iov.bytes() <= 64 * kib ? limit_error : EIO);
        }
        ZoneDescriptor& zone = at(offset);
        const bool is_full = zone.state == ZoneState::full || zone.state == ZoneState::read_only;
        const bool is_out_of_order = offset != zone.write_pointer && zone.type == ZoneType::sequential_required;
        if (is_full || is_out_of_order || offset + iov.bytes() > zone.start + zone.capacity) {
            return Status::from_errno(position_error);
        }
        zone.write_pointer += iov.bytes();
        zone.state = zone.write_pointer == zone.start + zone.capacity ? ZoneState::full : ZoneState::implicit_open;
        return {};
    }

    ZoneDescriptor& at(uint64_t offset) { return zones[offset / zone_size]; }

    std::vector<ZoneDescriptor> zones;
    std::vector<std::pair<uint64_t, uint64_t>> writes;
    size_t per_call = 1000;
    size_t most_asked = 0;
    unsigned reports = 0;
    unsigned managed = 0;
    Status next_error;
    int limit_error = 0;
    int position_error = EIO;
};

class HostZonesTest : public ::testing::Test {
protected:
    Result<uint64_t> append(uint64_t offset, uint64_t bytes) {
        return zones_.append(offset, IoVec(memory_.data(), bytes));
    }
    Status write(uint64_t offset, uint64_t bytes) {
        return zones_.write(offset, bytes, [&] { return device_.write_data(offset, IoVec(memory_.data(), bytes)); });
    }

    std::vector<uint8_t> memory_ = std::vector<uint8_t>(zone_size);
    FakeDevice device_;
    HostZones zones_{device_, zone_size, device_length};
};

TEST_F(HostZonesTest, AppendsAfterOtherWritersInPreferredZones) {
    device_.at(zone_size).type = ZoneType::sequential_preferred;
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
    device_.at(zone_size).write_pointer += 64 * kib;
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 68 * kib);
}

TEST_F(HostZonesTest, ConsecutiveAppendsReadThePointerOnce) {
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
    EXPECT_EQ(*append(zone_size, 8 * kib), zone_size + 4 * kib);
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 12 * kib);
    EXPECT_EQ(device_.reports, 1U);
    EXPECT_EQ(*append(2 * zone_size, 4 * kib), 2 * zone_size);
}

TEST_F(HostZonesTest, FollowsOrdinaryWrites) {
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
    ASSERT_TRUE(write(zone_size + 4 * kib, 4 * kib).ok());
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 8 * kib);
    EXPECT_EQ(device_.reports, 1U);
}

TEST_F(HostZonesTest, ReadsThePointerAgainAfterAFailedWrite) {
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    EXPECT_EQ(write(zone_size + 64 * kib, 4 * kib).code(), EIO);
    device_.at(zone_size).write_pointer += 512; // a part was written
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 4 * kib + 512);
    EXPECT_EQ(device_.reports, 2U);
}

TEST_F(HostZonesTest, FindsThePointerAfterAnotherProgramsWrite) {
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    device_.at(zone_size).write_pointer += 20 * kib;
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 24 * kib);
    device_.at(zone_size).write_pointer = zone_size; // another program reset the zone
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
}

TEST_F(HostZonesTest, RecognisesTheErrorOfScsiDisks) {
    device_.position_error = EREMOTEIO;
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    device_.at(zone_size).write_pointer += 20 * kib;
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size + 24 * kib);
    device_.at(zone_size).state = ZoneState::full;
    EXPECT_EQ(append(zone_size, 4 * kib).status().code(), EIO);
}

TEST_F(HostZonesTest, FindsAZoneThatAnotherProgramReset) {
    EXPECT_TRUE(append(zone_size, capacity).ok());
    EXPECT_EQ(append(zone_size, 4 * kib).status().code(), EIO);
    device_.at(zone_size).write_pointer = zone_size;
    device_.at(zone_size).state = ZoneState::empty;
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
}

TEST_F(HostZonesTest, RefusesDataThatDoesNotFitWithoutWriting) {
    EXPECT_EQ(append(zone_size, capacity + 512).status().code(), EIO);
    EXPECT_EQ(append(7 * zone_size, short_zone + 512).status().code(), EIO);
    device_.at(2 * zone_size).state = ZoneState::full;
    device_.at(3 * zone_size).state = ZoneState::read_only;
    device_.at(3 * zone_size).write_pointer = no_write_pointer;
    device_.at(4 * zone_size).state = ZoneState::offline;
    for (const uint64_t zone : {2U, 3U, 4U}) {
        EXPECT_EQ(append(zone * zone_size, 512).status().code(), EIO);
    }
    EXPECT_TRUE(device_.writes.empty());
    EXPECT_EQ(*append(zone_size, capacity), zone_size);
}

TEST_F(HostZonesTest, ConventionalZonesHaveNoPointer) {
    EXPECT_EQ(append(0, 4 * kib).status().code(), EINVAL);
    EXPECT_EQ(append(0, 0).status().code(), EINVAL);
    EXPECT_TRUE(device_.writes.empty());
}

TEST_F(HostZonesTest, LengthZeroReturnsThePointer) {
    EXPECT_EQ(*append(zone_size, 0), zone_size);
    device_.at(zone_size).write_pointer += 8 * kib;
    EXPECT_EQ(*append(zone_size, 0), zone_size + 8 * kib);
    EXPECT_TRUE(device_.writes.empty());
}

TEST_F(HostZonesTest, ReturnsTheErrorOfALimit) {
    for (const int error : {EOVERFLOW, ETOOMANYREFS}) {
        device_.limit_error = error;
        EXPECT_EQ(append(zone_size, 4 * kib).status().code(), error);
        EXPECT_EQ(append(zone_size, 512 * kib).status().code(), error); // many requests; the last error is EIO
        device_.limit_error = 0;
        EXPECT_EQ(device_.at(zone_size).write_pointer, zone_size);
    }
    EXPECT_EQ(*append(zone_size, 512 * kib), zone_size);
}

TEST_F(HostZonesTest, TriesAtMostTwice) {
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    device_.writes.clear();
    device_.limit_error = EIO;
    EXPECT_EQ(append(zone_size, 4 * kib).status().code(), EIO);
    EXPECT_EQ(device_.writes.size(), 2U);
}

TEST_F(HostZonesTest, ManagementUpdatesEveryPointer) {
    for (uint64_t zone = 1; zone < zone_count; zone++) {
        EXPECT_TRUE(append(zone * zone_size, 4 * kib).ok());
    }
    ASSERT_TRUE(zones_.manage(ZoneOp::reset, 6 * zone_size, zone_size + short_zone).ok());
    EXPECT_EQ(*append(7 * zone_size, 4 * kib), 7 * zone_size);
    EXPECT_EQ(*append(6 * zone_size, 4 * kib), 6 * zone_size);
    EXPECT_EQ(*append(5 * zone_size, 4 * kib), 5 * zone_size + 4 * kib);
    ASSERT_TRUE(zones_.manage(ZoneOp::finish, 7 * zone_size, short_zone).ok());
    EXPECT_EQ(append(7 * zone_size, 4 * kib).status().code(), EIO);
    ASSERT_TRUE(zones_.manage(ZoneOp::reset, 0, device_length).ok());
    EXPECT_EQ(*append(5 * zone_size, 4 * kib), 5 * zone_size);
}

TEST_F(HostZonesTest, ManagementThatFailedHalfwayUpdatesPointersToo) {
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    device_.next_error = Status::error(EIO, "ioctl BLKRESETZONE failed -5");
    EXPECT_EQ(zones_.manage(ZoneOp::reset, zone_size, 2 * zone_size).message(), "ioctl BLKRESETZONE failed -5");
    EXPECT_EQ(*append(zone_size, 4 * kib), zone_size);
}

TEST_F(HostZonesTest, OnlyTheWholeDeviceMayStartWithAConventionalZone) {
    const Status status = zones_.manage(ZoneOp::reset, 0, zone_size);
    EXPECT_EQ(status.code(), EIO);
    EXPECT_EQ(status.message(), "zone mgmt operations are not allowed for conventional zones");
    EXPECT_EQ(zones_.manage(ZoneOp::reset, 0, 0).code(), EIO);
    EXPECT_EQ(device_.managed, 0U);
    EXPECT_TRUE(zones_.manage(ZoneOp::reset, 0, device_length).ok());
    EXPECT_TRUE(zones_.manage(ZoneOp::reset, device_length, 0).ok());
    EXPECT_EQ(device_.managed, 2U);
}

TEST_F(HostZonesTest, AWriteAcrossTwoZonesForgetsBoth) {
    EXPECT_TRUE(append(zone_size, 4 * kib).ok());
    EXPECT_TRUE(append(2 * zone_size, 4 * kib).ok());
    const auto elsewhere = [&] {
        device_.at(2 * zone_size).write_pointer += 4 * kib;
        return Status();
    };
    ASSERT_TRUE(zones_.write(2 * zone_size - 4 * kib, 8 * kib, elsewhere).ok());
    EXPECT_EQ(*append(2 * zone_size, 4 * kib), 2 * zone_size + 8 * kib);
}

TEST_F(HostZonesTest, ReportsInPieces) {
    device_.per_call = 3;
    std::vector<uint64_t> starts;
    const Result<uint64_t> shown = zones_.report(zone_size + 1, UINT32_MAX, [&](const ZoneDescriptor& zone) {
        starts.push_back(zone.start / zone_size);
    });
    EXPECT_EQ(*shown, 7U);
    EXPECT_EQ(starts, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_LE(device_.most_asked, 1024U);
    EXPECT_EQ(*zones_.report(0, 2, [](const ZoneDescriptor&) {}), 2U);
    EXPECT_EQ(*zones_.report(0, 0, [](const ZoneDescriptor&) {}), 0U);
    EXPECT_EQ(*zones_.report(device_length, 5, [](const ZoneDescriptor&) {}), 0U);
}

} // namespace
} // namespace zoneio
