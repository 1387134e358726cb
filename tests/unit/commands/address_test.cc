// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/address.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

struct Case {
    const char* text;
    std::optional<uint64_t> zone;
    bool pointer;
    uint64_t distance;
    bool backwards;
};

TEST(Address, IsAZoneOrAWritePointerAndADistance) {
    const Case cases[] = {
        {"0z", 0, false, 0, false},           {"5Z", 5, false, 0, false},
        {"5z+4k", 5, false, 4096, false},     {"5z-1.5k", 5, false, 1536, true},
        {"5z+0x200", 5, false, 512, false},   {"5z+wp", 5, true, 0, false},
        {"5z+wp+4k", 5, true, 4096, false},   {"5z+wp-4k", 5, true, 4096, true},
        {"wp", std::nullopt, true, 0, false}, {"wp-.5k", std::nullopt, true, 512, true},
        {"18446744073709551615z", UINT64_MAX, false, 0, false},
    };
    for (const Case& expected : cases) {
        const std::optional<Address> address = Address::parse(expected.text);
        ASSERT_TRUE(address) << expected.text;
        EXPECT_EQ(address->zone, expected.zone) << expected.text;
        EXPECT_EQ(address->pointer, expected.pointer) << expected.text;
        EXPECT_EQ(address->distance, expected.distance) << expected.text;
        EXPECT_EQ(address->backwards, expected.backwards) << expected.text;
    }
}

TEST(Address, IsNothingElse) {
    for (const char* text : {"", "5", "4k", "z", "-1z", "+1z", "1.5z", "0x5z", "5zz", "5z4k", "5z+", "5z-", "5z+wp+",
                             "5z+wpx", "5z+wp4k", "5z++4k", "5z+-4k", "5z+ 4k", "5z-wp", "5z+6z", "5z+4q", "wpz", "w", "WP",
                             "wp5z", "wp+wp", "5z+4k+wp", "18446744073709551616z"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
}

} // namespace
} // namespace zoneio
