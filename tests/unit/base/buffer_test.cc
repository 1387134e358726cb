// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/buffer.h"
#include "commands/arguments.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(IoVec, SliceCrossesSegments) {
    uint8_t memory[16];
    IoVec iov;
    iov.push_back(memory, 4);
    iov.push_back(memory + 4, 0);
    iov.push_back(memory + 8, 8);
    const IoVec part = iov.slice(2, 6);
    ASSERT_EQ(part.count(), 2U);
    EXPECT_EQ(part.segments()[0].iov_base, memory + 2);
    EXPECT_EQ(part.segments()[0].iov_len, 2U);
    EXPECT_EQ(part.segments()[1].iov_base, memory + 8);
    EXPECT_EQ(part.segments()[1].iov_len, 4U);
    EXPECT_EQ(part.bytes(), 6U);
}

TEST(IoVec, SliceOfManySegments) {
    uint8_t memory[256];
    IoVec iov;
    std::vector<uint8_t*> bytes;
    for (size_t i = 0; i < 40; i++) {
        const size_t length = i * 7 % 5; // includes empty segments
        iov.push_back(memory + i, length);
        for (size_t j = 0; j < length; j++) {
            bytes.push_back(memory + i + j);
        }
        for (size_t begin = 0; begin <= bytes.size(); begin++) {
            const size_t most = bytes.size() - begin;
            const IoVec part = iov.slice(begin, most);
            ASSERT_EQ(part.bytes(), most);
            size_t at = begin;
            for (const iovec& segment : part.segments()) {
                ASSERT_GT(segment.iov_len, 0U);
                for (size_t j = 0; j < segment.iov_len; j++) {
                    ASSERT_EQ(static_cast<uint8_t*>(segment.iov_base) + j, bytes[at++]) << i << " segments, from " << begin;
                }
            }
        }
    }
    EXPECT_EQ(iov.slice(bytes.size() + 5, 7).bytes(), 0U);
    const IoVec two = iov.slice(2, 1000, 2);
    EXPECT_EQ(two.count(), 2U);
    EXPECT_EQ(two.segments()[0].iov_base, iov.slice(2, 1).segments()[0].iov_base);
}

/// With a linear search for each slice, this would take minutes instead of seconds.
TEST(IoVec, AMillionSlicesOfAMillionSegments) {
    constexpr size_t count = 1U << 20;
    uint8_t byte = 0;
    IoVec iov;
    for (size_t i = 0; i < count; i++) {
        iov.push_back(&byte, 1);
    }
    size_t segments = 0;
    for (size_t i = 0; i < count; i++) {
        segments += iov.slice(i, 1).count();
    }
    EXPECT_EQ(segments, count);
}

TEST(IoVec, ACopyOfOneSegmentIsIndependent) {
    uint8_t byte = 0;
    IoVec copy;
    {
        const IoVec original(&byte, 1);
        copy = original;
    }
    EXPECT_EQ(copy.segments()[0].iov_base, &byte);
}

TEST(AllBytesEqual, ChecksEveryByte) {
    std::vector<uint8_t> data(1000, 7);
    EXPECT_TRUE(all_bytes_equal(data.data(), data.size(), 7));
    for (const size_t position : {size_t{0}, size_t{500}, size_t{999}}) {
        data[position] = 8;
        EXPECT_FALSE(all_bytes_equal(data.data(), data.size(), 7)) << position;
        data[position] = 7;
    }
    EXPECT_TRUE(all_bytes_equal(data.data(), 0, 9));
}

TEST(CyclicIov, StaysInTheBufferAndCoversAllBytes) {
    uint8_t memory[10];
    const std::vector<uint64_t> lengths{4, 0, 25};
    const IoVec iov = cyclic_iov(memory, sizeof(memory), lengths);
    EXPECT_EQ(iov.bytes(), 29U);
    for (const iovec& segment : iov.segments()) {
        const auto* base = static_cast<const uint8_t*>(segment.iov_base);
        EXPECT_GE(base, memory);
        EXPECT_LE(base + segment.iov_len, memory + sizeof(memory));
    }
}

TEST(SharedBytes, AllowsOneSystemCallForTheLargestRequest) {
    EXPECT_LE(max_request_bytes / shared_bytes(max_request_bytes), 1022U);
    EXPECT_LE(shared_bytes(max_request_bytes), 4U << 20);
}

} // namespace
} // namespace zoneio
