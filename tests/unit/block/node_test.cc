// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a node adds to its driver: padding, splitting, zeros, forced writes. The driver here is memory that records the
// requests.
#include "block/backend.h"
#include "block/node/node.h"

#include "failing_allocation.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <thread>
#include <unistd.h>
#include <utility>

namespace zoneio {
namespace {

class MemoryDriver final : public BlockDriver {
public:
    MemoryDriver(size_t size, uint32_t alignment) : data(size) {
        limits_.request_alignment = alignment;
        traits_.writes_zeroes = true;
    }

    Status preadv(uint64_t offset, const IoVec& iov) override {
        log("read", offset, iov.bytes());
        iov.copy_from(data.data() + offset);
        return {};
    }
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) override {
        log("write", offset, iov.bytes());
        iov.copy_to(data.data() + offset);
        return {};
    }
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags /*flags*/) override {
        log("zero", offset, bytes);
        if (!can_zero) {
            return Status::from_errno(ENOTSUP);
        }
        memset(data.data() + offset, 0, bytes);
        return {};
    }
    Status flush() override {
        log("flush", 0, 0);
        return {};
    }
    Result<uint64_t> length() override { return data.size(); }

    void set_max_transfer(uint64_t bytes) { limits_.max_transfer = bytes; }

    std::vector<uint8_t> data;
    std::vector<std::string> asked;
    bool keep_log = true;
    bool can_zero = true;

private:
    void log(const char* what, uint64_t offset, uint64_t bytes) {
        if (keep_log) {
            asked.push_back(fmt::format("{} {}+{}", what, offset, bytes));
        }
    }
};

struct TestNode {
    explicit TestNode(uint32_t alignment, NodeFlags flags = {}, size_t size = 64 << 10)
        : memory(new MemoryDriver(size, alignment)),
          node(*find_driver("null-co"), std::unique_ptr<BlockDriver>(memory), flags, "n", "") {}

    Status write(uint64_t offset, uint64_t bytes, uint8_t byte, WriteFlags flags = {}) {
        buffer.assign(bytes, byte);
        return node.pwritev(offset, IoVec(buffer.data(), bytes), flags);
    }

    MemoryDriver* memory;
    BlockNode node;
    std::vector<uint8_t> buffer;
};

using Asked = std::vector<std::string>;

TEST(Node, AlignedRequestsPassThrough) {
    TestNode t(512);
    EXPECT_TRUE(t.write(512, 1024, 1).ok());
    EXPECT_EQ(t.memory->asked, Asked({"write 512+1024"}));
}

TEST(Node, PartialBlocksAreReadAndWrittenBack) {
    TestNode t(512);
    memset(t.memory->data.data(), 7, t.memory->data.size());
    EXPECT_TRUE(t.write(500, 600, 1).ok());
    EXPECT_EQ(t.memory->asked, Asked({"read 0+512", "read 1024+512", "write 0+1536"}));
    EXPECT_EQ(t.memory->data[499], 7);
    EXPECT_EQ(t.memory->data[500], 1);
    EXPECT_EQ(t.memory->data[1099], 1);
    EXPECT_EQ(t.memory->data[1100], 7);
}

TEST(Node, OneBlockIsReadOnce) {
    TestNode t(4096);
    EXPECT_TRUE(t.write(5000, 10, 1).ok());
    EXPECT_EQ(t.memory->asked, Asked({"read 4096+4096", "write 4096+4096"}));
}

TEST(Node, LargeRequestsAreSplit) {
    TestNode t(512);
    t.memory->set_max_transfer(1000);
    EXPECT_TRUE(t.write(0, 1536, 1).ok());
    EXPECT_EQ(t.memory->asked, Asked({"write 0+512", "write 512+512", "write 1024+512"}));
}

TEST(Node, ZerosGoToTheDriverExceptPartialBlocks) {
    TestNode t(512);
    memset(t.memory->data.data(), 7, t.memory->data.size());
    EXPECT_TRUE(t.node.pwrite_zeroes(500, 1100, {}).ok());
    EXPECT_EQ(t.memory->asked,
              Asked({"read 0+512", "read 1536+512", "write 0+512", "zero 512+1024", "write 1536+512"}));
    EXPECT_EQ(t.memory->data[499], 7);
    EXPECT_TRUE(all_bytes_equal(t.memory->data.data() + 500, 1100, 0));
    EXPECT_EQ(t.memory->data[1600], 7);
}

TEST(Node, ZerosAreWrittenAsDataIfTheDriverCannot) {
    TestNode t(1);
    t.memory->can_zero = false;
    EXPECT_TRUE(t.node.pwrite_zeroes(0, 4096, {}).ok());
    EXPECT_EQ(t.memory->asked, Asked({"zero 0+4096", "write 0+4096"}));
    t.memory->asked.clear();
    WriteFlags no_fallback;
    no_fallback.no_fallback = true;
    EXPECT_EQ(t.node.pwrite_zeroes(0, 4096, no_fallback).code(), ENOTSUP);
    EXPECT_EQ(t.memory->asked, Asked({"zero 0+4096"}));
}

TEST(Node, ForcedWritesAreFlushedAndCleanNodesAreNot) {
    TestNode t(1);
    WriteFlags forced;
    forced.fua = true;
    EXPECT_TRUE(t.write(0, 10, 1, forced).ok());
    EXPECT_TRUE(t.node.flush().ok());
    EXPECT_EQ(t.memory->asked, Asked({"write 0+10", "flush 0+0"}));
}

TEST(Node, DetectsZeros) {
    NodeFlags flags;
    flags.detect_zeroes = DetectZeroes::on;
    TestNode t(1, flags);
    EXPECT_TRUE(t.write(0, 4096, 0).ok());
    EXPECT_TRUE(t.write(0, 4096, 1).ok());
    EXPECT_EQ(t.memory->asked, Asked({"zero 0+4096", "write 0+4096"}));
}

TEST(Node, ClosesWithoutMemory) {
    auto t = std::make_unique<TestNode>(1);
    ASSERT_TRUE(t->write(0, 10, 1).ok());
    // The driver records the flush, which needs memory.
    testing::allocations_left = 0;
    t.reset();
    EXPECT_EQ(std::exchange(testing::allocations_left, -1), -1) << "nobody asked for memory";
}

TEST(Node, FailedSyncIsNotForgotten) {
    char name[] = "/tmp/zoneio-test-XXXXXX";
    const int fd = mkstemp(name);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(ftruncate(fd, 4096), 0);
    close(fd);
    std::vector<Notice> notices;
    ImageSpec spec;
    spec.filename = name;
    spec.options.set("driver", "raw");
    Result<std::unique_ptr<BlockNode>> raw = open_image(std::move(spec), notices);
    ASSERT_TRUE(raw.ok());
    uint8_t byte = 1;
    ASSERT_TRUE((*raw)->pwritev(0, IoVec(&byte, 1), {}).ok());
    (*raw)->note_sync_error(EIO);
    // The kernel reports a lost page only once; later flushes must fail, too.
    EXPECT_EQ((*raw)->flush().code(), EIO);
    EXPECT_EQ((*raw)->flush().code(), EIO);
    raw->reset();
    unlink(name);
}

// Concurrent writes to parts of one block must not undo each other.
TEST(Node, OverlappingReadModifyWritesDoNotMix) {
    TestNode t(4096);
    t.memory->keep_log = false;
    constexpr size_t writers = 4;
    constexpr size_t rounds = 500;
    std::vector<std::thread> threads;
    for (size_t w = 0; w < writers; w++) {
        threads.emplace_back([&t, w] {
            std::vector<uint8_t> data(100);
            for (size_t i = 0; i < rounds; i++) {
                memset(data.data(), static_cast<int>(i % 251), data.size());
                ASSERT_TRUE(t.node.pwritev(w * 100, IoVec(data.data(), data.size()), {}).ok());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(all_bytes_equal(t.memory->data.data(), writers * 100, (rounds - 1) % 251));
}

} // namespace
} // namespace zoneio
