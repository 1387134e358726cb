// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a power cut may leave: a test for each rule of PowerCut, over all states that it counts and over random ones.
#include "block/log/power_cut.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>

namespace zoneio {
namespace {

using Pieces = std::vector<PowerCut::Piece>;

constexpr uint64_t unit = 512;
constexpr uint64_t zone_size = 16 * unit;

/// Zones from 1 on are sequential and hold 12 units; zone 0 is conventional.
PowerCut::Device zoned_device(uint64_t max_active = 0) {
    return {.unit = unit, .zone_size = zone_size, .max_active = max_active, .capacity = [](uint64_t zone) { return zone == 0 ? 0 : 12 * unit; }};
}

class PowerCutRules : public ::testing::Test {
protected:
    void use(PowerCut::Device device) { cut_.emplace(std::move(device)); }
    uint64_t add(LogKind kind, uint64_t offset = 0, uint64_t units = 0, bool fua = false) {
        LogEntry entry;
        entry.number = next_++;
        entry.kind = kind;
        entry.offset = offset;
        entry.length = units * unit;
        entry.fua = fua;
        cut_->add(entry);
        return entry.number;
    }
    std::set<std::string> counted() const {
        std::set<std::string> states;
        for (uint64_t i = 0; i < cut_->count(); i++) {
            states.insert(text(cut_->state({true, i})));
        }
        return states;
    }
    std::set<std::string> random(uint64_t seeds = 2000) const {
        std::set<std::string> states;
        for (uint64_t seed = 0; seed < seeds; seed++) {
            states.insert(text(cut_->state({false, seed})));
        }
        return states;
    }
    /// `ENTRY:BEGIN+UNITS`, in units.
    static std::string text(const Pieces& pieces) {
        std::string all;
        for (const PowerCut::Piece& piece : pieces) {
            const char* const space = all.empty() ? "" : " ";
            all += fmt::format("{}{}:{}+{}", space, piece.entry, piece.begin / unit, piece.bytes / unit);
        }
        return all;
    }

    std::optional<PowerCut> cut_ = PowerCut(PowerCut::Device());
    uint64_t next_ = 0;
};

using States = std::set<std::string>;

TEST_F(PowerCutRules, WhatWasFlushedIsThere) {
    add(LogKind::write, 0, 1);
    add(LogKind::flush);
    EXPECT_EQ(cut_->settled(), 2U);
    EXPECT_EQ(counted(), States{""});
}

TEST_F(PowerCutRules, AnyUnitsOfAWriteAreThere) {
    add(LogKind::write, 0, 2);
    EXPECT_EQ(cut_->settled(), 0U);
    EXPECT_EQ(counted(), (States{"", "0:0+1", "0:1+1", "0:0+2"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, WritesAreLostWithoutEachOther) {
    add(LogKind::write, 0, 1);
    add(LogKind::discard, 8 * unit, 1);
    EXPECT_EQ(counted(), (States{"", "0:0+1", "1:0+1", "0:0+1 1:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, WhatWasForcedOutIsThereAndNothingElse) {
    add(LogKind::write, 0, 1);
    add(LogKind::write, unit, 1, true);
    EXPECT_EQ(counted(), (States{"1:0+1", "0:0+1 1:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, AWriteBehindAPreflushFindsTheRestSettled) {
    add(LogKind::write, 0, 1);
    LogEntry entry;
    entry.number = next_++;
    entry.kind = LogKind::write;
    entry.length = unit;
    entry.preflush = true;
    cut_->add(entry);
    EXPECT_EQ(cut_->settled(), 1U);
    EXPECT_EQ(counted(), (States{"", "1:0+1"}));
}

TEST_F(PowerCutRules, APointerIsAnywhereBetweenTwoPlaces) {
    use(zoned_device());
    add(LogKind::write, zone_size, 2);
    add(LogKind::append, zone_size + 2 * unit, 1);
    EXPECT_EQ(counted(), (States{"", "0:0+1", "0:0+2", "0:0+2 1:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, AZoneHasStatesOfItsOwn) {
    use(zoned_device());
    add(LogKind::write, zone_size, 2);
    add(LogKind::write, 2 * zone_size, 1);
    add(LogKind::reset, zone_size, 16);
    ASSERT_EQ(cut_->zone_count(1), 4U);
    EXPECT_EQ(cut_->zone_count(3), 1U);
    States states;
    for (uint64_t number = 0; number < cut_->zone_count(1); number++) {
        states.insert(text(cut_->zone_state(1, number)));
    }
    EXPECT_EQ(states, (States{"", "0:0+1", "0:0+2", "0:0+2 2:0+16"}));
}

TEST_F(PowerCutRules, ALengthSurvives) {
    use({});
    add(LogKind::write, 0, 1);
    add(LogKind::length, 0, 4);
    add(LogKind::write, unit, 1);
    EXPECT_EQ(counted(), (States{"1:0+4", "0:0+1 1:0+4", "1:0+4 2:0+1", "0:0+1 1:0+4 2:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, ConventionalZonesAreLikePlainImages) {
    use(zoned_device());
    add(LogKind::write, 0, 2);
    EXPECT_EQ(counted(), (States{"", "0:0+1", "0:1+1", "0:0+2"}));
}

TEST_F(PowerCutRules, NothingBehindAResetIsThereWithoutIt) {
    use(zoned_device());
    add(LogKind::write, zone_size, 1);
    add(LogKind::flush);
    add(LogKind::reset, zone_size, 16);
    add(LogKind::write, zone_size, 1);
    EXPECT_EQ(counted(), (States{"", "2:0+16", "2:0+16 3:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, ZonesAreLostWithoutEachOther) {
    use(zoned_device());
    add(LogKind::reset, zone_size, 32);
    EXPECT_EQ(counted(), (States{"", "0:0+16", "0:16+16", "0:0+16 0:16+16"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, OpensAndClosesLeaveNoTrace) {
    use(zoned_device());
    add(LogKind::open, zone_size, 16);
    add(LogKind::close, zone_size, 16);
    EXPECT_EQ(counted(), States{""});
}

TEST_F(PowerCutRules, WhatWasForcedOutInAZoneNeedsWhatCameBefore) {
    use(zoned_device());
    add(LogKind::write, zone_size, 1);
    add(LogKind::write, zone_size + unit, 1, true);
    add(LogKind::write, zone_size + 2 * unit, 1);
    EXPECT_EQ(counted(), (States{"0:0+1 1:0+1", "0:0+1 1:0+1 2:0+1"}));
    EXPECT_EQ(random(), counted());
}

TEST_F(PowerCutRules, AFinishThatWasNotFlushedHasHappenedOrNot) {
    use(zoned_device());
    add(LogKind::write, zone_size, 1);
    add(LogKind::finish, zone_size, 16);
    EXPECT_EQ(counted(), (States{"", "0:0+1", "0:0+1 1:0+16"}));
}

TEST_F(PowerCutRules, NoMoreZonesAreActiveThanMayBe) {
    use(zoned_device(1));
    cut_->add_active_zone(1, unit);
    add(LogKind::reset, zone_size, 16);
    add(LogKind::write, 2 * zone_size, 1);
    // Zone 2 was written when zone 1 had been emptied: not without that.
    EXPECT_EQ(counted().count("1:0+1"), 0U);
    EXPECT_EQ(random(), (States{"", "0:0+16", "0:0+16 1:0+1"}));
}

TEST_F(PowerCutRules, ASeedNamesAState) {
    for (int i = 0; i < 5; i++) {
        add(LogKind::write, static_cast<uint64_t>(i) * unit, 1);
    }
    EXPECT_EQ(cut_->count(), 32U);
    EXPECT_EQ(cut_->state({false, 5}), cut_->state({false, 5}));
    EXPECT_EQ(text(cut_->state({true, 31})), "0:0+1 1:0+1 2:0+1 3:0+1 4:0+1");
    const Result<PowerCut::StateId> id = PowerCut::StateId::parse("s12");
    ASSERT_TRUE(id.ok());
    EXPECT_EQ(id->text(), "s12");
    EXPECT_FALSE(PowerCut::StateId::parse("12").ok());
    EXPECT_FALSE(PowerCut::StateId::parse("#").ok());
}

TEST_F(PowerCutRules, TooManyStatesAreNotCounted) {
    add(LogKind::write, 0, 100);
    EXPECT_EQ(cut_->count(), UINT64_MAX);
}

} // namespace
} // namespace zoneio
