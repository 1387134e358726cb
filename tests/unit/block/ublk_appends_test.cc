// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/appends.h"

#include <cerrno>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <stdlib.h>

namespace zoneio {

namespace {

class UblkAppendsTest : public testing::Test {
protected:
    ~UblkAppendsTest() override { std::filesystem::remove_all(folder_); }

    static std::string make_folder() {
        char name[] = "/tmp/ublk-appends-XXXXXX";
        return mkdtemp(name);
    }

    std::string folder_ = make_folder();
};

TEST_F(UblkAppendsTest, NotesOutliveTheServer) {
    {
        UblkAppends appends(3, folder_);
        ASSERT_TRUE(appends.make(2, 8).ok());
        appends.set(1, 7, {.zone = 1U << 20, .bytes = 4096, .begin = (1U << 20) + 8192});
        appends.set(0, 7, {.zone = 0, .bytes = 512, .begin = 0});
        appends.clear(0, 7);
    }
    UblkAppends next(3, folder_);
    ASSERT_TRUE(next.take(2, 8).ok());
    const std::optional<UblkAppends::Note> note = next.get(1, 7);
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->zone, 1U << 20);
    EXPECT_EQ(note->bytes, 4096U);
    EXPECT_EQ(note->begin, (1U << 20) + 8192);
    EXPECT_FALSE(next.get(0, 7).has_value());
    EXPECT_FALSE(next.get(1, 6).has_value());
}

TEST_F(UblkAppendsTest, OtherShapesAreRefused) {
    UblkAppends appends(3, folder_);
    ASSERT_TRUE(appends.make(1, 8).ok());
    UblkAppends next(3, folder_);
    EXPECT_EQ(next.take(2, 8).code(), EINVAL);
    EXPECT_FALSE(next.get(0, 0).has_value());
    UblkAppends other(4, folder_);
    EXPECT_EQ(other.take(1, 8).code(), ENOENT);
}

TEST_F(UblkAppendsTest, ANewDeviceHasNoNotes) {
    UblkAppends appends(3, folder_);
    ASSERT_TRUE(appends.make(1, 8).ok());
    appends.set(0, 2, {.zone = 0, .bytes = 512, .begin = 0});
    UblkAppends next(3, folder_);
    ASSERT_TRUE(next.make(1, 8).ok());
    EXPECT_FALSE(next.get(0, 2).has_value());
    next.remove();
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(UblkAppendsTest, WithoutAFolderNothingIsNoted) {
    UblkAppends appends(3, folder_ + "/none");
    EXPECT_FALSE(appends.make(1, 8).ok());
    appends.set(0, 0, {.zone = 0, .bytes = 512, .begin = 0});
    EXPECT_FALSE(appends.get(0, 0).has_value());
    appends.clear(0, 0);
    appends.remove();
}

} // namespace

} // namespace zoneio
