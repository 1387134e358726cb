// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "block/overlay/open.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <thread>

namespace zoneio {
namespace {

constexpr uint64_t cluster = 64U << 10;

/// An image in memory with an overlay above it.
class Snapshot {
public:
    explicit Snapshot(const std::vector<uint8_t>& content, bool copy_on_read = false)
        : memory_(memfd_create("image", MFD_CLOEXEC)) {
        EXPECT_EQ(write(memory_.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
        ImageSpec spec;
        spec.flags.unmap = true;
        spec.flags.copy_on_read = copy_on_read;
        spec.options.set("driver", "raw");
        spec.options.set("file.filename", fmt::format("/proc/self/fd/{}", memory_.get()));
        std::vector<Notice> notices;
        Result<std::unique_ptr<BlockNode>> node = open_snapshot(std::move(spec), notices);
        EXPECT_TRUE(node.ok()) << node.status().message();
        node_ = std::move(*node);
    }

    BlockNode& node() { return *node_; }

    std::vector<uint8_t> read(uint64_t offset, uint64_t bytes) {
        std::vector<uint8_t> data(bytes, 0xee);
        EXPECT_TRUE(node_->preadv(offset, IoVec(data.data(), bytes)).ok());
        return data;
    }

    std::vector<uint8_t> image() const {
        std::vector<uint8_t> data(static_cast<size_t>(lseek(memory_.get(), 0, SEEK_END)));
        EXPECT_EQ(pread(memory_.get(), data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
        return data;
    }

private:
    FileDescriptor memory_;
    std::unique_ptr<BlockNode> node_;
};

std::vector<uint8_t> some_content(uint64_t bytes) {
    std::vector<uint8_t> content(bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        content[i] = i / 8192 % 3 == 0 ? 0 : static_cast<uint8_t>(i / 512 + 1);
    }
    return content;
}

/// Compares random requests to an overlay with a plain array.
void compare_with_array(unsigned seed, bool copy_on_read) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    const std::vector<uint8_t> content = some_content(9 * cluster + 512 * (seed % 128));
    std::vector<uint8_t> expected = content;
    Snapshot snapshot(content, copy_on_read);
    for (int step = 0; step < 150; step++) {
        const uint64_t offset = random() % expected.size();
        const uint64_t bytes = 1 + random() % std::min<uint64_t>(expected.size() - offset, 3 * cluster);
        const auto byte = static_cast<uint8_t>(random());
        const auto begin = expected.begin() + static_cast<ptrdiff_t>(offset);
        WriteFlags flags;
        flags.may_unmap = random() % 2 == 0;
        switch (random() % 4) {
        case 0: {
            std::vector<uint8_t> data(bytes, byte);
            ASSERT_TRUE(snapshot.node().pwritev(offset, IoVec(data.data(), bytes), {}).ok());
            std::fill_n(begin, bytes, byte);
            break;
        }
        case 1:
            ASSERT_TRUE(snapshot.node().pwrite_zeroes(offset, bytes, flags).ok());
            std::fill_n(begin, bytes, 0);
            break;
        case 2: {
            ASSERT_TRUE(snapshot.node().pdiscard(offset, bytes).ok());
            const uint64_t first = (offset + cluster - 1) / cluster * cluster;
            const bool to_end = offset + bytes == expected.size();
            const uint64_t end = to_end ? expected.size() : (offset + bytes) / cluster * cluster;
            if (first < end) {
                std::fill(expected.begin() + static_cast<ptrdiff_t>(first), expected.begin() + static_cast<ptrdiff_t>(end), 0);
            }
            break;
        }
        default:
            ASSERT_TRUE(std::equal(begin, begin + static_cast<ptrdiff_t>(bytes), snapshot.read(offset, bytes).begin()));
            break;
        }
    }
    EXPECT_EQ(snapshot.read(0, expected.size()), expected);
    EXPECT_EQ(snapshot.image(), content);
}

TEST(SnapshotOverlay, BehavesLikeAnArray) {
    for (unsigned seed = 0; seed < 20; seed++) {
        compare_with_array(seed, false);
    }
}

TEST(SnapshotOverlay, BehavesLikeAnArrayWhenReadsAreCopied) {
    for (unsigned seed = 100; seed < 110; seed++) {
        compare_with_array(seed, true);
    }
}

TEST(SnapshotOverlay, ConcurrentWritesToOneClusterLoseNoData) {
    const std::vector<uint8_t> content = some_content(4 * cluster);
    Snapshot snapshot(content, true);
    constexpr uint64_t piece = 4096 + 512;
    constexpr unsigned writers = 4;
    std::vector<std::thread> threads;
    for (unsigned writer = 0; writer < writers; writer++) {
        threads.emplace_back([&, writer] {
            std::vector<uint8_t> data(piece, static_cast<uint8_t>(writer + 1));
            for (uint64_t offset = writer * piece; offset + piece <= content.size(); offset += writers * piece) {
                EXPECT_TRUE(snapshot.node().pwritev(offset, IoVec(data.data(), piece), {}).ok());
                EXPECT_EQ(snapshot.read(offset, piece), data);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::vector<uint8_t> result = snapshot.read(0, content.size());
    for (uint64_t offset = 0; offset < content.size(); offset++) {
        const bool is_written = offset < content.size() / piece * piece;
        ASSERT_EQ(result[offset], is_written ? offset / piece % writers + 1 : content[offset]) << offset;
    }
}

} // namespace
} // namespace zoneio
