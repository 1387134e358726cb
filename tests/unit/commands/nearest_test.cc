// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/nearest.h"
#include "commands/why/why.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(Nearest, CountsChangesOfAWord) {
    EXPECT_EQ(edit_distance("read", "read"), 0U);
    EXPECT_EQ(edit_distance("raed", "read"), 1U);
    EXPECT_EQ(edit_distance("rea", "read"), 1U);
    EXPECT_EQ(edit_distance("", "read"), 4U);
    EXPECT_EQ(edit_distance("write", "read"), 4U);
}

TEST(Nearest, OffersFewWordsAndOnlyNearOnes) {
    const std::vector<std::string_view> known{"read", "readv", "aio_read", "reopen", "zone_list", "zl", "q"};
    EXPECT_EQ(nearest_words("raed", known), (std::vector<std::string_view>{"read"}));
    EXPECT_EQ(nearest_words("rea", known), (std::vector<std::string_view>{"read", "readv"}));
    EXPECT_EQ(nearest_words("rexd", known), (std::vector<std::string_view>{"read"}));
    EXPECT_EQ(nearest_words("zone", known), (std::vector<std::string_view>{"zone_list"}));
    EXPECT_TRUE(nearest_words("x", known).empty());
    EXPECT_TRUE(nearest_words("truncate", known).empty());
    EXPECT_EQ(nearest_text("rea", known), "'read' or 'readv'");
    EXPECT_EQ(nearest_text("truncate", known), "");
    EXPECT_EQ(choices_text("There are", "raed", known),
              "There are read, readv, aio_read, reopen, zone_list, zl, q; did you mean 'read'?");
    EXPECT_EQ(choices_text("There are", "truncate", known), "There are read, readv, aio_read, reopen, zone_list, zl, q.");
}

TEST(ZoneNumbers, ArePrintedAsRunsWithALimit) {
    ZoneNumbers zones;
    zones.add(3);
    EXPECT_EQ(zones.text(), "zone 3");
    zones.add(4);
    EXPECT_EQ(zones.text(), "zones 3 to 4");
    zones.add(9);
    EXPECT_EQ(zones.text(), "zones 3 to 4 and 9");
    for (uint64_t zone = 11; zone < 31; zone += 2) {
        zones.add(zone);
    }
    EXPECT_EQ(zones.text(), "zones 3 to 4, 9, 11, 13, 15, 17 and 6 others");
    EXPECT_EQ(zones.count(), 13U);
    EXPECT_EQ(zones.first(), 3U);
}

TEST(ExactSize, IsShortAndExact) {
    EXPECT_EQ(exact_size(0), "0");
    EXPECT_EQ(exact_size(1000), "1000");
    EXPECT_EQ(exact_size(4096), "4k");
    EXPECT_EQ(exact_size(3U << 20), "3M");
    EXPECT_EQ(exact_size((3U << 20) + 512), "3146240");
    EXPECT_EQ(exact_size(uint64_t{1} << 60), "1E");
}

} // namespace
} // namespace zoneio
