// SPDX-License-Identifier: GPL-3.0-or-later
//
// Facts that one session leaves uncertain and the next one must not assume. Each test is the shortest chain of sessions
// that once lost flushed or acknowledged data. zoned_chain_test.cc searches for more.
#include "block/base/file_descriptor.h"

#include "zoned_load.h"

#include <gtest/gtest.h>
#include <optional>
#include <sys/mman.h>

namespace zoneio {
namespace {

using testing::RecordedDevice;
using testing::RecordedFile;

constexpr uint64_t zone_size = 64 << 10;
constexpr uint64_t block = 4096;

class ZonedSessions : public ::testing::Test {
protected:
    ZonedSessions() {
        geometry_.zone_size = geometry_.zone_capacity = zone_size;
        geometry_.size = 4 * zone_size;
        geometry_.conventional_zones = 1;
        file_ = RecordedFile(testing::blank_image(geometry_));
    }

    RecordedDevice& open(bool no_flush = false, bool read_only = false) {
        NodeFlags flags;
        flags.no_flush = no_flush;
        flags.read_only = read_only;
        device_.emplace(file_, geometry_, flags);
        EXPECT_EQ(device_->error, "");
        return *device_;
    }

    /// Kills the process. Its writes stay in the kernel's memory.
    void kill() {
        file_ = device_->recorder->file();
        device_.reset();
    }
    void close() {
        device_->recorder->keep_in = &file_;
        device_.reset();
    }

    /// Cuts the power. Since the last sync, only data of zones has reached the medium.
    void cut_keeping_zones() {
        std::vector<uint8_t> image = file_.durable;
        const auto data = static_cast<ptrdiff_t>(ZonedLayout::data(geometry_));
        std::copy(file_.cached.begin() + data, file_.cached.end(), image.begin() + data);
        file_ = RecordedFile(std::move(image));
        change_place();
    }
    /// Cuts the power. Since the last sync, only the zone table has reached the medium.
    void cut_keeping_table() {
        std::vector<uint8_t> image = file_.durable;
        const auto table = static_cast<ptrdiff_t>(ZonedLayout::table);
        const auto data = static_cast<ptrdiff_t>(ZonedLayout::data(geometry_));
        std::copy(file_.cached.begin() + table, file_.cached.begin() + data, image.begin() + table);
        file_ = RecordedFile(std::move(image));
    }
    void cut_keeping_nothing() {
        file_ = RecordedFile(file_.durable);
        change_place();
    }
    /// Changes the boot, host or mount.
    void change_place() { file_.cached[ZonedLayout::session + offsetof(ZonedSession, boot_id)] ^= 1; }

    Status write(uint64_t zone, uint64_t bytes, uint8_t pattern) {
        std::vector<uint8_t> data(bytes, pattern);
        const Result<uint64_t> position = device_->node->zone_append(geometry_.zone_start(zone), IoVec(data.data(), bytes), {});
        return position.ok() ? Status() : position.status();
    }
    Status reset(uint64_t zone) { return device_->node->zone_mgmt(ZoneOp::reset, geometry_.zone_start(zone), zone_size); }

    /// The content of a zone below its write pointer: its pattern and its length in bytes.
    struct Content {
        uint64_t bytes = 0;
        int pattern = -1; ///< -1: not uniform
        bool operator==(const Content&) const = default;
    };
    Content content(uint64_t zone) {
        Content found;
        EXPECT_TRUE(device_->node->zone_report(geometry_.zone_start(zone), 1, [&](const ZoneDescriptor& shown) {
            found.bytes = shown.write_pointer - shown.start;
        }).ok());
        std::vector<uint8_t> data(found.bytes);
        EXPECT_TRUE(device_->node->preadv(geometry_.zone_start(zone), IoVec(data.data(), data.size())).ok());
        if (!data.empty() && all_bytes_equal(data.data(), data.size(), data[0])) {
            found.pattern = data[0];
        }
        return found;
    }

    ZoneGeometry geometry_;
    RecordedFile file_;
    std::optional<RecordedDevice> device_;
};

/// Makes the n-th flush from now on fail.
std::function<bool()> fail_flush(int n) {
    return [n]() mutable { return --n == 0; };
}

TEST_F(ZonedSessions, AnInterruptedFlushIsRepeated) {
    open();
    ASSERT_TRUE(write(1, zone_size, 1).ok());
    ASSERT_TRUE(device_->node->flush().ok());
    ASSERT_TRUE(reset(1).ok());
    device_->recorder->flush_fails = fail_flush(2);
    ASSERT_FALSE(device_->node->flush().ok());
    kill();
    open();
    ASSERT_TRUE(write(1, block, 2).ok());
    kill();
    cut_keeping_zones();
    open();
    const Content found = content(1);
    EXPECT_TRUE(found == (Content{zone_size, 1}) || found == (Content{block, 2}) || found == Content{})
        << found.bytes << " bytes of " << found.pattern;
}

TEST_F(ZonedSessions, NoHoleIsPunchedBeforeTheResetIsOnTheMedium) {
    open();
    ASSERT_TRUE(write(1, zone_size, 1).ok());
    ASSERT_TRUE(device_->node->flush().ok());
    ASSERT_TRUE(reset(1).ok());
    device_->recorder->flush_fails = fail_flush(2);
    ASSERT_FALSE(device_->node->flush().ok());
    kill();
    open();
    ASSERT_TRUE(write(1, block, 2).ok());
    ASSERT_TRUE(reset(1).ok());
    kill();
    cut_keeping_zones();
    open();
    const Content found = content(1);
    EXPECT_TRUE(found == (Content{zone_size, 1}) || found == (Content{block, 2}) || found == Content{})
        << found.bytes << " bytes of " << found.pattern;
}

TEST_F(ZonedSessions, WordsOfAnUnsafeSessionAreNotTrusted) {
    open();
    ASSERT_TRUE(write(1, zone_size, 1).ok());
    ASSERT_TRUE(device_->node->flush().ok());
    close();
    open(true);
    ASSERT_TRUE(reset(1).ok());
    close();
    open();
    ASSERT_TRUE(write(1, block, 2).ok());
    kill();
    cut_keeping_zones();
    open();
    const Content found = content(1);
    EXPECT_TRUE(found == (Content{zone_size, 1}) || found == (Content{block, 2}) || found == Content{})
        << found.bytes << " bytes of " << found.pattern;
}

TEST_F(ZonedSessions, AFlushSavesTheWritesOfAKilledSession) {
    open();
    ASSERT_TRUE(write(1, zone_size, 5).ok());
    kill();
    open();
    ASSERT_TRUE(device_->node->flush().ok());
    EXPECT_GT(device_->recorder->flushes, 0U);
    close();
    cut_keeping_nothing();
    open();
    EXPECT_EQ(content(1), (Content{zone_size, 5}));
}

TEST_F(ZonedSessions, CloseSavesAResetOfAKilledSession) {
    open();
    ASSERT_TRUE(write(1, zone_size, 5).ok());
    close();
    open();
    ASSERT_TRUE(reset(1).ok());
    kill();
    open();
    close();
    cut_keeping_nothing();
    open();
    EXPECT_EQ(content(1), Content{});
}

TEST_F(ZonedSessions, AFlushSavesTheWritesOfAnUnsafeSession) {
    open(true);
    ASSERT_TRUE(write(1, zone_size, 5).ok());
    close();
    open();
    ASSERT_TRUE(device_->node->flush().ok());
    close();
    cut_keeping_nothing();
    open();
    EXPECT_EQ(content(1), (Content{zone_size, 5}));
}

/// A stick was pulled out while the host kept running: the words have reached it, their data has not.
TEST_F(ZonedSessions, WordsFromBeforeARemovalOfTheMediumAreNotTrusted) {
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    ASSERT_TRUE(device_->node->flush().ok());
    ASSERT_TRUE(write(1, block, 1).ok());
    kill();
    cut_keeping_table();
    for (const size_t field : {offsetof(ZonedSession, mount), offsetof(ZonedSession, disk_sequence), offsetof(ZonedSession, device)}) {
        file_.cached[ZonedLayout::session + field] ^= 1;
        open();
        EXPECT_EQ(content(1), (Content{block, 1}));
        device_.reset();
        file_.cached[ZonedLayout::session + field] ^= 1;
    }
}

/// Host A closes the device, host B changes it and loses power, and A, still running, gets it back.
TEST_F(ZonedSessions, WordsOfAnotherHostAreNotTrusted) {
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    close();
    change_place();
    file_ = RecordedFile(file_.cached);
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    kill();
    cut_keeping_table();
    change_place();
    open();
    EXPECT_EQ(content(1), (Content{block, 1}));
}

TEST_F(ZonedSessions, ACleanDeviceNeedsNoSync) {
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    close();
    open();
    ASSERT_TRUE(device_->node->flush().ok());
    EXPECT_EQ(device_->recorder->flushes, 0U);
    ASSERT_TRUE(write(1, block, 2).ok());
    EXPECT_EQ(device_->recorder->flushes, 0U);
}

/// The kernel marks a page as clean although writing it has failed.
TEST_F(ZonedSessions, PagesOfAFailedSyncAreWrittenAgain) {
    open();
    ASSERT_TRUE(write(1, zone_size, 1).ok());
    device_->recorder->flush_fails = fail_flush(1);
    ASSERT_FALSE(device_->node->flush().ok());
    kill();
    file_.pending.clear();
    open();
    ASSERT_TRUE(device_->node->flush().ok());
    EXPECT_GT(device_->recorder->writes, 0U);
    close();
    cut_keeping_nothing();
    open();
    EXPECT_EQ(content(1), (Content{zone_size, 1}));
}

TEST_F(ZonedSessions, FilesOfTheFirstVersionUseTheirLastFlush) {
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    ASSERT_TRUE(device_->node->flush().ok());
    ASSERT_TRUE(write(1, block, 1).ok());
    kill();
    // The session page of the first version started with the boot id.
    ZonedSession session;
    memcpy(&session, file_.cached.data() + ZonedLayout::session, sizeof(session));
    session.mark = session.boot_id;
    memcpy(file_.cached.data() + ZonedLayout::session, &session, sizeof(session));
    open();
    EXPECT_EQ(content(1), (Content{block, 1}));
}

/// The reader opens the device before the first writer of this boot.
TEST_F(ZonedSessions, AReaderSeesALaterWriter) {
    open();
    ASSERT_TRUE(write(1, block, 1).ok());
    close();
    change_place();
    auto recorder = std::make_unique<RecordedDevice>(file_, geometry_);
    const std::string name = "/proc/self/fd/" + std::to_string(recorder->recorder->descriptor());
    NodeFlags flags;
    flags.read_only = true;
    const DriverInfo shared_info{"shared", true, false, nullptr, nullptr, {}};
    OpenContext context;
    context.flags = flags;
    context.child = std::make_unique<BlockNode>(shared_info, std::make_unique<testing::SharedDriver>(*recorder->recorder), flags,
                                                "file", "file");
    Options options;
    Result<std::unique_ptr<BlockDriver>> driver = zoned_driver.open(context, options);
    ASSERT_TRUE(driver.ok());
    BlockNode reader(zoned_driver, std::move(*driver), flags, "zoned", "");
    const auto pointer = [&] {
        uint64_t found = 0;
        EXPECT_TRUE(reader.zone_report(zone_size, 1, [&](const ZoneDescriptor& shown) { found = shown.write_pointer; }).ok());
        return found - zone_size;
    };
    EXPECT_EQ(pointer(), block);
    std::vector<uint8_t> data(block, 2);
    ASSERT_TRUE(recorder->node->zone_append(zone_size, IoVec(data.data(), block), {}).ok());
    EXPECT_EQ(pointer(), 2 * block);
}

} // namespace
} // namespace zoneio
