// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/completion/zones.h"
#include "commands/why/why.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

Limits device(uint64_t zone_size, uint64_t zones) {
    Limits limits;
    limits.zone_size = zone_size;
    limits.nr_zones = zones;
    return limits;
}

/// The expected result of zone_offsets(), found by checking every zone.
std::vector<std::string> by_looking(const Limits& limits, std::string_view typed) {
    std::vector<std::string> found;
    const bool hex = typed.starts_with("0x");
    for (uint64_t zone = 0; zone < limits.nr_zones && found.size() < 1000; zone++) {
        std::string text = hex ? fmt::format("{:#x}", zone * limits.zone_size) : exact_size(zone * limits.zone_size);
        if (text.starts_with(typed)) {
            found.push_back(std::move(text));
        }
    }
    for (uint64_t zone = 0; zone < limits.nr_zones && found.size() < 1000 && !typed.empty() && !hex; zone++) {
        std::string text = fmt::format("{}z", zone);
        if (text.starts_with(typed)) {
            found.push_back(std::move(text));
        }
    }
    return found;
}

TEST(ZoneCompletion, FindsTheSameAsASearchOfEveryZone) {
    for (const Limits& limits : {device(4U << 20, 16), device(512, 5000), device(3U << 20, 3000), device(1U << 30, 2500),
                                 device(4096 * 5, 1), device(1000 * 512, 4000)}) {
        for (const char* const typed : {"", "0", "00", "1", "2", "4", "10", "12", "99", "512", "1000", "1024", "4M", "4k", "1G",
                                        "3072k", "40m", "0x", "0x4", "0x40", "0x0", "0x00", "0xg", "x", "-1", "5.",
                                        "18446744073709551615", "18446744073709551616"}) {
            EXPECT_EQ(zone_offsets(limits, typed), by_looking(limits, typed)) << typed << " of " << limits.zone_size;
        }
    }
}

TEST(ZoneCompletion, OffersTheZoneAndItsPointer) {
    const Limits limits = device(4U << 20, 16);
    EXPECT_EQ(zone_offsets(limits, "3z"), (std::vector<std::string>{"3z", "3z+wp"}));
    EXPECT_EQ(zone_offsets(limits, "3z+"), (std::vector<std::string>{"3z+wp"}));
    EXPECT_EQ(zone_offsets(limits, "w"), (std::vector<std::string>{"wp"}));
}

TEST(ZoneCompletion, FindsTheLastOfVeryManyZones) {
    // Too many zones to check one by one during completion.
    const Limits limits = device(uint64_t{1} << 20, uint64_t{1} << 43);
    EXPECT_EQ(zone_offsets(limits, "8796093022207"), (std::vector<std::string>{"8796093022207M", "8796093022207z"}));
    EXPECT_EQ(zone_offsets(limits, "7E"), (std::vector<std::string>{"7E"}));
    EXPECT_EQ(zone_offsets(limits, "9").size(), 1000U);
    EXPECT_TRUE(zone_offsets(limits, "8796093022208").empty());
}

} // namespace
} // namespace zoneio
