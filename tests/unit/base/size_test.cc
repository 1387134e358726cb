// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/size.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

struct SizeCase {
    const char* text;
    ParseError error;
    uint64_t value;
};

void PrintTo(const SizeCase& c, std::ostream* out) {
    *out << '"' << c.text << '"';
}

class ParseSize : public testing::TestWithParam<SizeCase> {};

TEST_P(ParseSize, Gives) {
    uint64_t value = 0;
    EXPECT_EQ(parse_size(GetParam().text, value), GetParam().error);
    if (GetParam().error == ParseError::none) {
        EXPECT_EQ(value, GetParam().value);
    }
}

constexpr auto ok = ParseError::none;
constexpr auto invalid = ParseError::invalid;
constexpr auto too_large = ParseError::out_of_range;

INSTANTIATE_TEST_SUITE_P(Whole, ParseSize,
                         testing::Values(SizeCase{"0", ok, 0}, SizeCase{"512", ok, 512}, SizeCase{"+512", ok, 512},
                                         SizeCase{"010", ok, 10}, SizeCase{"18446744073709551615", ok, UINT64_MAX},
                                         SizeCase{"18446744073709551616", too_large, 0}, SizeCase{"", invalid, 0},
                                         SizeCase{"x", invalid, 0}, SizeCase{"1 ", invalid, 0},
                                         SizeCase{" 1", ok, 1}));

INSTANTIATE_TEST_SUITE_P(Suffixes, ParseSize,
                         testing::Values(SizeCase{"1b", ok, 1}, SizeCase{"1k", ok, 1024}, SizeCase{"1K", ok, 1024},
                                         SizeCase{"2M", ok, 2U << 20}, SizeCase{"1e", ok, 1ULL << 60},
                                         SizeCase{"15E", ok, 15ULL << 60}, SizeCase{"16E", too_large, 0},
                                         SizeCase{"1kB", invalid, 0}, SizeCase{"1KiB", invalid, 0},
                                         SizeCase{"1kk", invalid, 0}, SizeCase{"1e3", invalid, 0}));

INSTANTIATE_TEST_SUITE_P(Fractions, ParseSize,
                         testing::Values(SizeCase{"1.5k", ok, 1536}, SizeCase{".5k", ok, 512}, SizeCase{"1.k", ok, 1024},
                                         SizeCase{"1.0", ok, 1}, SizeCase{"1.5", invalid, 0}, SizeCase{"1.5b", invalid, 0},
                                         SizeCase{"0.1k", ok, 102}, SizeCase{"0.00048828125k", ok, 1},
                                         SizeCase{"0.00048828124k", ok, 0}, SizeCase{"1.9999999999999999999k", ok, 2048},
                                         SizeCase{"1.9999999999999999999", ok, 2}, SizeCase{".", invalid, 0},
                                         SizeCase{".k", invalid, 0}, SizeCase{"0.3e", ok, 345876451382054080},
                                         SizeCase{"15.9999999999999999999999E", too_large, 0}));

INSTANTIATE_TEST_SUITE_P(Hexadecimal, ParseSize,
                         testing::Values(SizeCase{"0x10", ok, 16}, SizeCase{"0X1b", ok, 27}, SizeCase{"+0x10", ok, 16},
                                         SizeCase{"0x", invalid, 0}, SizeCase{"0x1k", invalid, 0},
                                         SizeCase{"0x1.8", invalid, 0}, SizeCase{"00x1", invalid, 0},
                                         SizeCase{"0x10000000000000000", too_large, 0}));

// A negative or overlong integer is out of range, but only if the rest of the text is well-formed.
INSTANTIATE_TEST_SUITE_P(Negative, ParseSize,
                         testing::Values(SizeCase{"-1", too_large, 0}, SizeCase{"-0", too_large, 0},
                                         SizeCase{"-1k", invalid, 0}, SizeCase{"-1.5", invalid, 0},
                                         SizeCase{"-0x1", invalid, 0}, SizeCase{"-.2", too_large, 0},
                                         SizeCase{"-.5k", invalid, 0}, SizeCase{"-.", invalid, 0}, SizeCase{"--1", invalid, 0},
                                         SizeCase{"99999999999999999999k", invalid, 0}));

TEST(ParseSizeInt64, EndsBelowTwoToThe63) {
    int64_t value = 0;
    EXPECT_EQ(parse_size_int64("9223372036854775807", value), ok);
    EXPECT_EQ(value, INT64_MAX);
    EXPECT_EQ(parse_size_int64("8E", value), too_large);
}

TEST(ParseLong, TakesAllBases) {
    long value = 0;
    EXPECT_EQ(parse_long("0x5a", value), ok);
    EXPECT_EQ(value, 0x5a);
    EXPECT_EQ(parse_long("010", value), ok);
    EXPECT_EQ(value, 8);
    EXPECT_EQ(parse_long("0b101", value), ok);
    EXPECT_EQ(value, 5);
    EXPECT_EQ(parse_long("-0b1", value), ok);
    EXPECT_EQ(value, -1);
    EXPECT_EQ(parse_long("0b2", value), invalid);
    EXPECT_EQ(parse_long("", value), invalid);
}

TEST(FormatSize, ChangesUnitAtEachPowerOf1024) {
    EXPECT_EQ(format_size(0), "0 bytes");
    EXPECT_EQ(format_size(1023), "1023 bytes");
    EXPECT_EQ(format_size(1024), "1 KiB");
    EXPECT_EQ(format_size(1536), "1.500 KiB");
    EXPECT_EQ(format_size(1024 * 1024 - 1), "1023.999 KiB");
    EXPECT_EQ(format_size(1000.0 * 1024 * 1024), "1000 MiB");
    EXPECT_EQ(format_size(0x1p60), "1 EiB");
    EXPECT_EQ(format_size(852.440785), "852.440785 bytes");
    EXPECT_EQ(format_size(12.000345), "12 bytes");
}

} // namespace
} // namespace zoneio
