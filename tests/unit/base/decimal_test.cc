// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/decimal.h"

#include <bit>
#include <cstdint>
#include <cstdio>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace zoneio {

namespace {

std::string fixed(double value, unsigned decimals, size_t width = 0) {
    fmt::memory_buffer out;
    append_fixed(out, value, decimals, width);
    return fmt::to_string(out);
}

std::string printed(double value, unsigned decimals, int width = 0) {
    char text[400];
    (void)snprintf(text, sizeof(text), "%0*.*f", width, static_cast<int>(decimals), value);
    return text;
}

TEST(Text, FixedEqualsPrintfAtTheEdges) {
    for (const double value : {0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 0.0005, 0.00049999999999999994, 0.9995, 9.9995, 1023.9995,
                               0x1p-50, 0x1p-51, 5e-324, 0x1p52 + 0.5, 0x1p53, 1e15, 1e18, 1e22, 1e300, -1.5, -0.0}) {
        for (const unsigned decimals : {1U, 2U, 3U, 4U, 6U}) {
            EXPECT_EQ(fixed(value, decimals), printed(value, decimals)) << value;
        }
    }
    EXPECT_EQ(fixed(1.0 / 0.0, 3), "inf");
}

TEST(Text, FixedIsPaddedWithZeros) {
    EXPECT_EQ(fixed(0.004, 2, 5), "00.00");
    EXPECT_EQ(fixed(59.999, 2, 5), "60.00");
    EXPECT_EQ(fixed(123.456, 2, 5), "123.46");
}

TEST(Text, FixedEqualsPrintfForAnyDouble) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 200000; i++) {
        // Random bit patterns, and numbers of the size of rates and times, some with few digits.
        const double any = std::bit_cast<double>(random() >> 1);
        const double rate = static_cast<double>(random() >> (random() % 40)) / static_cast<double>(random() >> (random() % 50));
        const double exact = static_cast<double>(random() % 1000000) / 64.0;
        const auto decimals = static_cast<unsigned>(random() % 6 + 1);
        for (const double value : {any, rate, exact}) {
            if (value < 1e60) {
                ASSERT_EQ(fixed(value, decimals, 5), printed(value, decimals, 5)) << value;
            }
        }
    }
}

} // namespace

} // namespace zoneio
