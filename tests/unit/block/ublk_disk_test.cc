// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/disk.h"

#include <algorithm>
#include <cerrno>
#include <gtest/gtest.h>
#include <mutex>
#include <vector>

namespace zoneio {

namespace {

using ublk::Op;

constexpr uint64_t zone_bytes = 64 << 10;
constexpr uint64_t zone_sectors = zone_bytes / ublk::sector_bytes;

/// An emulated device in memory: a conventional zone, six sequential ones, and one that is shorter.
class UblkDiskTest : public testing::Test {
protected:
    virtual uint64_t capacity() const { return zone_bytes; }

    void SetUp() override {
        ImageSpec spec;
        spec.options.set("driver", "zoned");
        spec.options.set("size", 7 * zone_bytes + zone_bytes / 2);
        spec.options.set("zone.size", zone_bytes);
        spec.options.set("zone.capacity", capacity());
        spec.options.set("zone.conventional_zones", uint64_t{1});
        spec.options.set("zone.max_open_zones", uint64_t{2});
        spec.options.set("zone.max_active_zones", uint64_t{3});
        std::vector<Notice> notices;
        Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), false, notices);
        ASSERT_TRUE(backend.ok()) << backend.status().message();
        backend_ = std::move(*backend);
        ASSERT_TRUE(backend_->require(Permissions::write).ok());
        port_ = std::make_unique<BackendPort>(*backend_, turn_);
        disk_ = std::make_unique<UblkDisk>(*port_, false, counters_);
        const Result<ublk::Parameters> parameters = disk_->parameters();
        ASSERT_TRUE(parameters.ok());
        parameters_ = *parameters;
        disk_->use(parameters_);
        port_->begin();
        disk_->begin();
    }

    /// Asks for something; data is `fill`. `before_perform`, see again().
    template <typename Before>
    UblkDisk::Result ask(Op op, uint64_t sector, uint32_t sectors, uint8_t fill, Before&& before_perform) {
        request_.data = data_.data();
        std::fill(data_.begin(), data_.end(), fill);
        disk_->understand(request_, {static_cast<uint32_t>(op), sectors, sector, 0});
        before_perform();
        disk_->perform(request_, true);
        if (!request_.is_answered_at_once) {
            port_->kick();
            port_->drain();
        }
        const UblkDisk::Result result = disk_->finish(request_);
        request_.is_repeated = false;
        return result;
    }
    UblkDisk::Result ask(Op op, uint64_t sector, uint32_t sectors = 0, uint8_t fill = 0) {
        return ask(op, sector, sectors, fill, [] {});
    }
    /// As the first request of a tag to a server that has taken over; `begin`: the note of an append.
    UblkDisk::Result again(Op op, uint64_t sector, uint32_t sectors = 0, uint8_t fill = 0, std::optional<uint64_t> begin = {}) {
        request_.is_repeated = true;
        return ask(op, sector, sectors, fill, [&] {
            request_.begin_pointer = begin;
            disk_->skip_done(request_);
        });
    }
    uint64_t pointer(uint64_t zone) { return disk_->write_pointer(zone * zone_bytes).value_or(0) - zone * zone_bytes; }
    bool holds(uint64_t sector, uint32_t sectors, uint8_t fill) {
        const UblkDisk::Result result = ask(Op::read, sector, sectors, static_cast<uint8_t>(~fill));
        return result.code == static_cast<int32_t>(sectors * ublk::sector_bytes) &&
               all_bytes_equal(data_.data(), sectors * ublk::sector_bytes, fill);
    }

    std::mutex turn_;
    std::unique_ptr<BlockBackend> backend_;
    std::unique_ptr<BackendPort> port_;
    ServedCounters counters_;
    std::unique_ptr<UblkDisk> disk_;
    ublk::Parameters parameters_{};
    std::vector<uint8_t> data_ = std::vector<uint8_t>(zone_bytes);
    UblkRequest request_;
};

TEST_F(UblkDiskTest, ShowsWholeZones) {
    EXPECT_EQ(parameters_.device_sectors, 7 * zone_sectors);
    EXPECT_EQ(parameters_.chunk_sectors, zone_sectors);
    EXPECT_EQ(parameters_.max_open_zones, 2U);
    EXPECT_EQ(parameters_.max_active_zones, 3U);
    EXPECT_EQ(parameters_.max_append_sectors, zone_sectors);
    EXPECT_EQ(parameters_.max_discard_sectors, 0U);
    EXPECT_EQ(disk_->hidden_bytes(), zone_bytes / 2);
    EXPECT_TRUE(disk_->check().ok());
}

TEST_F(UblkDiskTest, ReportsWholeZones) {
    ASSERT_EQ(ask(Op::write, zone_sectors, 8, 1).code, 4096);
    ASSERT_EQ(ask(Op::zone_finish, 2 * zone_sectors).code, 0);
    ASSERT_GT(ask(Op::report_zones, 0, 100).code, 0);
    const std::vector<ublk::ReportedZone>& zones = request_.report;
    ASSERT_EQ(zones.size(), 7U);
    EXPECT_EQ(zones[0].type, 1);
    EXPECT_EQ(zones[0].write_pointer, zone_sectors);
    EXPECT_EQ(zones[1].write_pointer, zone_sectors + 8);
    EXPECT_EQ(zones[1].condition, 2);
    EXPECT_EQ(zones[2].write_pointer, 3 * zone_sectors);
    EXPECT_EQ(zones[2].condition, 14);
    EXPECT_EQ(zones[6].start, 6 * zone_sectors);
    EXPECT_EQ(zones[6].capacity, zone_sectors);
    ASSERT_GT(ask(Op::report_zones, 5 * zone_sectors, 1).code, 0);
    EXPECT_EQ(request_.report.size(), 1U);
    EXPECT_EQ(ask(Op::report_zones, 7 * zone_sectors, 1).code, -EIO);
}

TEST_F(UblkDiskTest, AReportStartsWithTheZoneOfTheSector) {
    for (const uint64_t sector : {5 * zone_sectors + 1, 6 * zone_sectors - 1, 6 * zone_sectors + 1, 7 * zone_sectors - 1}) {
        const uint64_t zone = sector / zone_sectors;
        ASSERT_GT(ask(Op::report_zones, sector, 100).code, 0);
        ASSERT_EQ(request_.report.size(), 7 - zone) << sector;
        EXPECT_EQ(request_.report[0].start, zone * zone_sectors);
    }
}

class SmallCapacityTest : public UblkDiskTest {
protected:
    uint64_t capacity() const override { return zone_bytes / 2; }
};

TEST_F(SmallCapacityTest, ReportsThePointersOfFullZonesAsNullBlkDoes) {
    ASSERT_EQ(ask(Op::write, zone_sectors, zone_sectors / 2, 1).code, static_cast<int32_t>(zone_bytes / 2));
    ASSERT_EQ(ask(Op::zone_finish, 2 * zone_sectors).code, 0);
    ASSERT_GT(ask(Op::report_zones, zone_sectors, 2).code, 0);
    EXPECT_EQ(request_.report[0].condition, 14);
    EXPECT_EQ(request_.report[0].write_pointer, zone_sectors + zone_sectors / 2);
    EXPECT_EQ(request_.report[1].condition, 14);
    EXPECT_EQ(request_.report[1].write_pointer, 3 * zone_sectors);
}

TEST_F(UblkDiskTest, RefusalsHaveTheErrnosOfTheKernel) {
    ASSERT_EQ(ask(Op::zone_open, 1 * zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::zone_open, 2 * zone_sectors).code, 0);
    EXPECT_EQ(ask(Op::zone_open, 3 * zone_sectors).code, -ETOOMANYREFS);
    EXPECT_EQ(ask(Op::write, 1 * zone_sectors + 8, 8).code, -EIO);
    ASSERT_EQ(ask(Op::write, 1 * zone_sectors, 8).code, 4096);
    ASSERT_EQ(ask(Op::zone_close, 1 * zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::write, 3 * zone_sectors, 8).code, 4096);
    EXPECT_EQ(ask(Op::write, 4 * zone_sectors, 8).code, -EOVERFLOW);
    EXPECT_EQ(ask(Op::zone_reset, zone_sectors / 2).code, -EIO);
    EXPECT_EQ(ask(Op::zone_reset, 7 * zone_sectors).code, -EIO);
    EXPECT_EQ(ask(static_cast<Op>(99), 0).code, -ENOTSUP);
    ASSERT_EQ(ask(Op::zone_reset_all, 0).code, 0);
    EXPECT_EQ(pointer(1) + pointer(2) + pointer(3), 0U);
}

TEST_F(UblkDiskTest, AnAppendTellsItsPosition) {
    EXPECT_EQ(ask(Op::zone_append, zone_sectors, 8, 1).append_sector, zone_sectors);
    EXPECT_EQ(ask(Op::zone_append, zone_sectors, 8, 2).append_sector, zone_sectors + 8);
    EXPECT_TRUE(holds(zone_sectors, 8, 1) && holds(zone_sectors + 8, 8, 2));
    EXPECT_EQ(counters_.get(ServedKind::append).bytes, 8192U);
}

TEST_F(UblkDiskTest, AWriteIsDoneOnce) {
    ASSERT_EQ(ask(Op::write, zone_sectors, 8, 1).code, 4096);
    EXPECT_EQ(again(Op::write, zone_sectors, 8, 1).code, 4096);
    EXPECT_EQ(pointer(1), 4096U);
    // Half of it was done.
    EXPECT_EQ(again(Op::write, zone_sectors, 16, 1).code, 8192);
    EXPECT_EQ(pointer(1), 8192U);
    EXPECT_TRUE(holds(zone_sectors, 16, 1));
    // It was not done, but another.
    EXPECT_EQ(again(Op::write, zone_sectors, 8, 2).code, -EIO);
    // It was not begun.
    EXPECT_EQ(again(Op::write, zone_sectors + 16, 8, 2).code, 4096);
    EXPECT_TRUE(holds(zone_sectors + 16, 8, 2));
    // Zeros of a zone are compared, too.
    EXPECT_EQ(ask(Op::write_zeroes, zone_sectors + 24, 8).code, 0);
    EXPECT_EQ(again(Op::write_zeroes, zone_sectors + 24, 8).code, 0);
    EXPECT_EQ(again(Op::write_zeroes, zone_sectors + 16, 8).code, -EIO);
}

TEST_F(UblkDiskTest, AnAppendIsDoneOnce) {
    ASSERT_EQ(ask(Op::zone_append, zone_sectors, 8, 1).code, 0);
    UblkDisk::Result result = again(Op::zone_append, zone_sectors, 8, 1, zone_bytes);
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.append_sector, zone_sectors);
    EXPECT_EQ(pointer(1), 4096U);
    // Half of it was done.
    result = again(Op::zone_append, zone_sectors, 16, 1, zone_bytes);
    EXPECT_EQ(result.append_sector, zone_sectors);
    EXPECT_TRUE(pointer(1) == 8192 && holds(zone_sectors, 16, 1));
    // It was not begun.
    result = again(Op::zone_append, zone_sectors, 8, 2, zone_bytes + 8192);
    EXPECT_EQ(result.append_sector, zone_sectors + 16);
    // Something else is there: it was not done.
    result = again(Op::zone_append, zone_sectors, 8, 3, zone_bytes + 8192);
    EXPECT_EQ(result.append_sector, zone_sectors + 24);
    EXPECT_TRUE(holds(zone_sectors + 16, 8, 2) && holds(zone_sectors + 24, 8, 3));
}

TEST_F(UblkDiskTest, ACloseMayComeTwice) {
    ASSERT_EQ(ask(Op::zone_open, zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::zone_close, zone_sectors).code, 0);
    EXPECT_EQ(again(Op::zone_close, zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::write, zone_sectors, 8).code, 4096);
    ASSERT_EQ(ask(Op::zone_close, zone_sectors).code, 0);
    EXPECT_EQ(again(Op::zone_close, zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::zone_finish, zone_sectors).code, 0);
    EXPECT_EQ(again(Op::zone_finish, zone_sectors).code, 0);
    ASSERT_EQ(ask(Op::zone_reset, zone_sectors).code, 0);
    EXPECT_EQ(again(Op::zone_reset, zone_sectors).code, 0);
}

} // namespace

} // namespace zoneio
