// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/trace/trace.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace zoneio {
namespace {

class TraceTest : public ::testing::Test {
protected:
    ~TraceTest() override { trace_mask = 0; }
};

TEST_F(TraceTest, NamesAreSortedAndDistinct) {
    const std::vector<std::string_view> names = trace_event_names();
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST_F(TraceTest, APlainNameIsOneEvent) {
    EXPECT_TRUE(trace_enable("zbd_zone_append"));
    EXPECT_TRUE(trace_is_on(TraceEvent::zbd_zone_append));
    EXPECT_FALSE(trace_is_on(TraceEvent::zbd_zone_append_complete));
    EXPECT_FALSE(trace_enable("zbd_zone_appen"));
    EXPECT_FALSE(trace_enable(""));
    EXPECT_FALSE(trace_enable(" zbd_zone_append"));
}

TEST_F(TraceTest, PatternsWithManyStarsAreFast) {
    trace_enable(std::string(100000, '*') + "#");
    trace_enable("*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_*_#");
    EXPECT_EQ(trace_mask, 0U);
    EXPECT_TRUE(trace_enable("**zbd*zone**report***"));
    EXPECT_TRUE(trace_is_on(TraceEvent::zbd_zone_report));
    EXPECT_FALSE(trace_is_on(TraceEvent::zbd_zone_append));
}

TEST_F(TraceTest, PatternsMatchAnyNumberOfEvents) {
    EXPECT_TRUE(trace_enable("zbd_*"));
    EXPECT_TRUE(trace_is_on(TraceEvent::zbd_zone_report));
    EXPECT_TRUE(trace_is_on(TraceEvent::zbd_zone_append_complete));
    EXPECT_FALSE(trace_is_on(TraceEvent::blk_co_preadv));
    EXPECT_TRUE(trace_enable("*_preadv"));
    EXPECT_TRUE(trace_is_on(TraceEvent::blk_co_preadv));
    EXPECT_TRUE(trace_enable("nothing*"));
    EXPECT_TRUE(trace_enable("blk?co?pwritev"));
    EXPECT_TRUE(trace_is_on(TraceEvent::blk_co_pwritev));
}

TEST_F(TraceTest, BracketsAndBackslashesAreNoPatterns) {
    EXPECT_TRUE(trace_enable("zbd_zone_[a]*"));
    EXPECT_TRUE(trace_enable("zbd\\_zone_*"));
    EXPECT_EQ(trace_mask, 0U);
}

TEST_F(TraceTest, ADashTurnsOff) {
    EXPECT_TRUE(trace_enable("*"));
    EXPECT_TRUE(trace_enable("-zbd_*"));
    EXPECT_FALSE(trace_is_on(TraceEvent::zbd_zone_mgmt));
    EXPECT_TRUE(trace_is_on(TraceEvent::blk_co_preadv));
    EXPECT_FALSE(trace_enable("-nothing"));
}

TEST_F(TraceTest, WritesQemusTextToAFile) {
    std::string path = ::testing::TempDir() + "trace-XXXXXX";
    close(mkstemp(path.data()));
    ASSERT_TRUE(trace_set_file(path).ok());
    trace_enable("zbd_*");
    const auto* const bs = reinterpret_cast<const void*>(0x1234);
    trace_zbd_zone_report(bs, 10, 0x2000);
    trace_zbd_zone_mgmt(bs, "BLKOPENZONE", 0, 0x2000);
    trace_zbd_zone_append(bs, 0);
    trace_zbd_zone_append_complete(bs, 0x18);
    trace_blk_co_preadv(bs, bs, 0, 0, 0);
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    unlink(path.c_str());
    EXPECT_EQ(text.str(), "zbd_zone_report bs 0x1234 report 10 zones starting at sector offset 0x2000\n"
                          "zbd_zone_mgmt bs 0x1234 BLKOPENZONE starts at sector offset 0x0 over a range of 0x2000 sectors\n"
                          "zbd_zone_append bs 0x1234 append at sector offset 0x0\n"
                          "zbd_zone_append_complete bs 0x1234 returns append sector 0x18\n");
}

} // namespace
} // namespace zoneio
