// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/table.h"

#include "block/zoned/header.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

ZoneGeometry geometry() {
    ZoneGeometry made;
    made.size = uint64_t{40} << 20;
    made.zone_size = uint64_t{4} << 20;
    made.zone_capacity = uint64_t{3} << 20;
    made.conventional_zones = 1;
    return made;
}

std::vector<ZoneWord> possible_words() {
    const ZoneGeometry shape = geometry();
    return {{ZoneState::empty, 0},
            {ZoneState::implicit_open, 512},
            {ZoneState::explicit_open, 0},
            {ZoneState::explicit_open, shape.zone_capacity - 512},
            {ZoneState::closed, 4096},
            {ZoneState::full, shape.zone_capacity},
            {ZoneState::full, shape.zone_size},
            {ZoneState::read_only, shape.zone_size},
            {ZoneState::offline, 0}};
}

TEST(ZoneWord, SurvivesEncoding) {
    for (const ZoneWord& word : possible_words()) {
        EXPECT_EQ(ZoneWord::decode(word.encode()), word);
        EXPECT_TRUE(is_valid_word(geometry(), 3, word.encode()));
    }
    EXPECT_EQ(ZoneWord{}.encode(), 0U);
}

TEST(ZoneWord, AnyFlippedBitIsDetected) {
    for (const ZoneWord& word : possible_words()) {
        for (unsigned bit = 0; bit < 64; bit++) {
            const uint64_t flipped = word.encode() ^ uint64_t{1} << bit;
            EXPECT_FALSE(is_valid_word(geometry(), 3, flipped)) << "state " << static_cast<int>(word.state) << " bit " << bit;
            EXPECT_NE(problem_of(geometry(), 3, flipped), "");
        }
    }
}

TEST(ZoneWord, ImpossibleContentIsRefused) {
    const ZoneGeometry shape = geometry();
    const ZoneWord impossible[] = {
        {ZoneState::empty, 512},
        {ZoneState::implicit_open, 0},
        {ZoneState::implicit_open, shape.zone_capacity},
        {ZoneState::closed, 0},
        {ZoneState::explicit_open, shape.zone_capacity},
        {ZoneState::full, 512},
        {ZoneState::read_only, shape.zone_size + 512},
        {ZoneState::not_write_pointer, 0},
        {static_cast<ZoneState>(7), 0},
    };
    for (const ZoneWord& word : impossible) {
        EXPECT_FALSE(is_valid_word(shape, 3, word.encode())) << static_cast<int>(word.state) << " " << word.pointer;
    }
    EXPECT_FALSE(is_valid_word(shape, 0, ZoneWord{ZoneState::closed, 512}.encode())) << "a conventional zone has no state";
    ZoneGeometry large_blocks = shape;
    large_blocks.block_size = 4096;
    EXPECT_FALSE(is_valid_word(large_blocks, 3, ZoneWord{ZoneState::closed, 512}.encode()));
}

TEST(ZonedHeader, SurvivesEncodingAndDetectsEveryFlippedBit) {
    ZoneGeometry shape = geometry();
    shape.max_open_zones = 3;
    shape.max_active_zones = 5;
    shape.max_append_bytes = 65536;
    const ZonedHeaderBytes header = encode_zoned_header(shape);
    const Result<ZoneGeometry> decoded = decode_zoned_header(header);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, shape);
    for (size_t bit = 0; bit < header.size() * 8; bit++) {
        ZonedHeaderBytes flipped = header;
        flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
        EXPECT_FALSE(decode_zoned_header(flipped).ok()) << "bit " << bit;
    }
}

TEST(ZoneGeometry, ImpossibleGeometriesAreRefusedWithTheReason) {
    const auto reason = [](auto change) {
        ZoneGeometry shape = geometry();
        change(shape);
        return shape.check().message();
    };
    EXPECT_TRUE(geometry().check().ok());
    EXPECT_NE(reason([](ZoneGeometry& g) { g.block_size = 1024; }).find("must be 512 or 4096"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.size = 1000; }).find("size (1000)"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.size = uint64_t{1} << 63; }).find("exceeds"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.zone_size = 0; }).find("zone.size (0)"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.zone_capacity = g.zone_size + 512; }).find("exceeds zone.size"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.conventional_zones = 10; }).find("leaves none"), std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.size = uint64_t{1} << 62; g.zone_size = g.zone_capacity = 512; }).find("exceed the limit"),
              std::string::npos);
    EXPECT_NE(reason([](ZoneGeometry& g) { g.max_append_bytes = 100; }).find("zone.max_append_bytes"), std::string::npos);
}

} // namespace
} // namespace zoneio
