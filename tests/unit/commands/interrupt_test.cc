// SPDX-License-Identifier: GPL-3.0-or-later
//
// Ctrl-C at the prompt ends work on many zones.
#include "commands/long_work.h"
#include "commands/zones/cells.h"
#include "commands/zones/filter.h"

#include <csignal>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

int ended_by = 0;

void end_program(int number) {
    ended_by = number;
}

class Interrupt : public ::testing::Test {
protected:
    static constexpr uint64_t zones = 10000;

    void SetUp() override {
        ImageSpec spec;
        spec.options.set("driver", "zoned");
        spec.options.set("size", zones * 512);
        spec.options.set("zone.size", uint64_t{512});
        std::vector<Notice> notices;
        Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), false, notices);
        ASSERT_TRUE(backend.ok()) << backend.status().message();
        backend_ = std::move(*backend);
        ended_by = 0;
    }

    std::unique_ptr<BlockBackend> backend_;
};

TEST_F(Interrupt, EndsEveryLoopOverZones) {
    const InterruptEndsCommand guard(end_program);
    uint64_t visited = 0;
    const auto visit = [&](uint64_t, const ZoneDescriptor&) { visited++; };
    EXPECT_EQ(*visit_zones(*backend_, {}, {}, visit), zones);
    EXPECT_EQ(tally_zones(*backend_)->zones, zones);
    EXPECT_EQ(read_zone_cells(*backend_, 100)->total.zones, zones);

    visited = 0;
    (void)raise(SIGINT);
    EXPECT_EQ(visit_zones(*backend_, {}, {}, visit).status().code(), EINTR);
    EXPECT_GT(visited, 0U);
    EXPECT_LT(visited, zones);
    EXPECT_EQ(tally_zones(*backend_).status().code(), EINTR);
    EXPECT_EQ(read_zone_cells(*backend_, 100).status().code(), EINTR);
}

TEST_F(Interrupt, TheSecondOneOfACommandEndsTheProgram) {
    for (int command = 0; command < 2; command++) {
        const InterruptEndsCommand guard(end_program);
        EXPECT_FALSE(InterruptEndsCommand::is_requested());
        (void)raise(SIGINT);
        EXPECT_TRUE(InterruptEndsCommand::is_requested());
        EXPECT_EQ(ended_by, 0);
    }
    const InterruptEndsCommand guard(end_program);
    (void)raise(SIGINT);
    (void)raise(SIGINT);
    EXPECT_EQ(ended_by, SIGINT);
}

} // namespace
} // namespace zoneio
