// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/zone_bounds.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

constexpr uint64_t mib = 1U << 20;
constexpr uint64_t device_length = 30 * mib; // seven zones of 4 MiB and one of 2 MiB

Limits zoned_limits() {
    Limits limits;
    limits.zoned = ZonedModel::host_managed;
    limits.zone_size = 4 * mib;
    limits.write_granularity = 4096;
    return limits;
}

std::string range_error(uint64_t offset, uint64_t bytes) {
    const Status status = check_zone_range(zoned_limits(), device_length, offset, bytes);
    EXPECT_TRUE(status.ok() || status.code() == EINVAL);
    return status.ok() ? "" : status.message();
}

TEST(ZoneRange, WholeZonesAreAccepted) {
    EXPECT_EQ(range_error(0, 4 * mib), "");
    EXPECT_EQ(range_error(8 * mib, 12 * mib), "");
    EXPECT_EQ(range_error(0, device_length), "");
}

TEST(ZoneRange, ARangeMayEndWithTheDevice) {
    EXPECT_EQ(range_error(28 * mib, 2 * mib), "");
    EXPECT_EQ(range_error(24 * mib, 6 * mib), "");
}

TEST(ZoneRange, TheDriverRefusesLengthZero) {
    EXPECT_EQ(range_error(4 * mib, 0), "");
}

TEST(ZoneRange, TheOffsetIsCheckedFirst) {
    EXPECT_EQ(range_error(1, 1), "sector offset 0 is not aligned to zone size 8192");
    EXPECT_EQ(range_error(2 * mib, 4 * mib), "sector offset 4096 is not aligned to zone size 8192");
    EXPECT_EQ(range_error(0, 513), "number of sectors 1 is not aligned to zone size 8192");
    EXPECT_EQ(range_error(28 * mib, mib), "number of sectors 2048 is not aligned to zone size 8192");
}

Status append_check(uint64_t offset, std::vector<uint64_t> lengths) {
    return check_zone_append(zoned_limits(), device_length, offset, lengths);
}

TEST(ZoneAppend, AcceptsBlocksAtTheStartOfAZone) {
    EXPECT_TRUE(append_check(0, {4096}).ok());
    EXPECT_TRUE(append_check(28 * mib, {4096, 8192}).ok());
    EXPECT_TRUE(append_check(0, {0}).ok());
    EXPECT_TRUE(append_check(0, {}).ok());
}

TEST(ZoneAppend, NamesTheMisalignedBuffer) {
    EXPECT_EQ(append_check(0, {4096, 512}).message(), "len of IOVector[1] 512 is not aligned to block size 4096");
    EXPECT_EQ(append_check(512, {512}).message(), "sector offset 1 is not aligned to zone size 8192");
}

TEST(ZoneAppend, RefusesTheEndOfTheDevice) {
    EXPECT_EQ(append_check(32 * mib, {4096}).code(), EIO);
    EXPECT_EQ(append_check(UINT64_C(1) << 60, {4096}).code(), EIO);
    EXPECT_EQ(append_check(32 * mib, {100}).code(), EINVAL);
}

TEST(ZonedChild, OnlyHostManagedChildrenRequireASupportingParent) {
    DriverInfo parent{};
    Limits child = zoned_limits();
    EXPECT_EQ(check_zoned_child(parent, child).message(), "Cannot add a zoned child to a not support zoned children parent");
    child.zoned = ZonedModel::host_aware;
    EXPECT_TRUE(check_zoned_child(parent, child).ok());
    child.zoned = ZonedModel::none;
    EXPECT_TRUE(check_zoned_child(parent, child).ok());
    child.zoned = ZonedModel::host_managed;
    parent.takes_zoned_child = true;
    EXPECT_TRUE(check_zoned_child(parent, child).ok());
}

} // namespace
} // namespace zoneio
