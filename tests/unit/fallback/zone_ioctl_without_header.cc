// SPDX-License-Identifier: GPL-3.0-or-later
//
// The zone calls of a program built without the kernel's header report that.
#include "block/host/zone_ioctl.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(ZoneIoctlWithoutHeader, ReportNamesTheMissingHeader) {
    std::vector<ZoneDescriptor> zones(3);
    const Status status = ioctl_report_zones(-1, 0, 1, zones);
    EXPECT_EQ(status.code(), ENOTSUP);
    EXPECT_NE(status.message().find("linux/blkzoned.h"), std::string::npos);
    EXPECT_TRUE(zones.empty());
}

TEST(ZoneIoctlWithoutHeader, ManagementNamesTheMissingHeader) {
    const Status status = ioctl_manage_zones(-1, ZoneOp::reset, 0, 512);
    EXPECT_EQ(status.code(), ENOTSUP);
    EXPECT_TRUE(status.has_text());
}

TEST(ZoneIoctlWithoutHeader, OperationsHaveTheirNames) {
    EXPECT_STREQ(zone_ioctl_name(ZoneOp::finish), "BLKFINISHZONE");
}

} // namespace
} // namespace zoneio
