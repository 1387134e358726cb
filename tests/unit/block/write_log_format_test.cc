// SPDX-License-Identifier: GPL-3.0-or-later
//
// Entries of a write log: they keep what they say, and programs that know only version 1 of the format take all of them.
#include "block/log/format.h"
#include "block/log/zone_states.h"

#include <array>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

constexpr uint32_t sector_size = 512;

/// The check that replay-log makes: an entry has a flag or sectors, and only marks have data that begins with a byte other than 0.
bool is_valid_in_version_1(const std::array<uint8_t, sector_size>& sector) {
    constexpr uint64_t mark = 8;
    const uint64_t flags = load_le64(&sector[16]);
    return (flags != 0 || load_le64(&sector[8]) != 0) && (flags == mark || sector[LogEntry::bytes_on_medium] == 0);
}

TEST(WriteLogFormat, ZonesAreReadAsWritten) {
    for (const ZoneState state : {ZoneState::implicit_open, ZoneState::closed, ZoneState::full, ZoneState::offline}) {
        for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{0x123456}, (uint64_t{1} << 48) - 1}) {
            std::array<uint8_t, LoggedZone::bytes_on_medium> bytes{};
            LoggedZone{number, state, 4096}.encode(bytes.data());
            const LoggedZone zone = LoggedZone::decode(bytes.data());
            EXPECT_EQ(zone.number, number);
            EXPECT_EQ(zone.state, state);
            EXPECT_EQ(zone.pointer, 4096U);
        }
    }
}

TEST(WriteLogFormat, OwnEntriesAreSkippedByVersion1) {
    std::array<uint8_t, sector_size> sector{};
    LogEntry entry;
    for (const LogKind kind : {LogKind::reset, LogKind::finish, LogKind::open, LogKind::close, LogKind::state, LogKind::length}) {
        entry.kind = kind;
        entry.length = 1 << 20;
        entry.encode(sector, sector_size);
        EXPECT_TRUE(is_valid_in_version_1(sector)) << log_kind_name(kind);
        EXPECT_EQ(load_le64(&sector[8]), 0U) << log_kind_name(kind);
    }
    entry.kind = LogKind::zones;
    entry.inlined = LoggedZone::bytes_on_medium;
    entry.encode(sector, sector_size);
    LoggedZone{1, ZoneState::full, 0}.encode(&sector[LogEntry::bytes_on_medium]);
    EXPECT_TRUE(is_valid_in_version_1(sector));
    LoggedDevice device;
    device.length = 1 << 20;
    entry.kind = LogKind::device;
    entry.encode(sector, sector_size);
    device.encode(std::span(sector).subspan(LogEntry::bytes_on_medium));
    EXPECT_TRUE(is_valid_in_version_1(sector));
}

} // namespace
} // namespace zoneio
