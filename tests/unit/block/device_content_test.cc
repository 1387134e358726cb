// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_content.h"
#include "block/base/file_descriptor.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace zoneio {
namespace {

using Clauses = std::vector<std::string>;

/// A memory file with signatures as the documents of the formats describe them.
class DeviceContentTest : public testing::Test {
protected:
    DeviceContentTest() : device_(memfd_create("device", MFD_CLOEXEC)) { EXPECT_EQ(ftruncate(device_.get(), 16 << 20), 0); }

    void put(off_t offset, std::string_view bytes) {
        EXPECT_EQ(pwrite(device_.get(), bytes.data(), bytes.size(), offset), static_cast<ssize_t>(bytes.size()));
    }
    DeviceContent content() { return device_content(device_.get()); }

    FileDescriptor device_;
};

TEST_F(DeviceContentTest, Nothing) {
    EXPECT_EQ(content().clauses, Clauses{});
    EXPECT_FALSE(content().has_partition_table);
}

TEST_F(DeviceContentTest, FileSystem) {
    put(1024 + 0x38, "\x53\xef"); // s_magic
    put(1024 + 0x78, "data");      // s_volume_name
    EXPECT_EQ(content().clauses, Clauses{"it holds a file system (ext2, 'data')"});
}

TEST_F(DeviceContentTest, Swap) {
    put(1024, std::string_view("\1\0\0\0\xff\x0f\0\0", 8));
    put(4086, "SWAPSPACE2");
    EXPECT_EQ(content().clauses, Clauses{"it holds swap space"});
}

TEST_F(DeviceContentTest, Encrypted) {
    put(0, std::string_view("LUKS\xba\xbe\0\1", 8));
    EXPECT_EQ(content().clauses, Clauses{"it holds encrypted data (crypto_LUKS)"});
}

TEST_F(DeviceContentTest, PartitionTables) {
    put(510, "\x55\xaa");
    put(446, std::string_view("\x80\x20\x21\0\x83\xdd\x1e\x3f\0\x08\0\0\0\x40\0\0", 16));
    EXPECT_TRUE(content().has_partition_table);
    EXPECT_EQ(content().clauses, Clauses{});
    put(462, "NTLDR is missing");
    EXPECT_FALSE(content().has_partition_table) << "code of a boot sector";
}

TEST_F(DeviceContentTest, SeveralSignatures) {
    put(0, std::string_view("LUKS\xba\xbe\0\1", 8));
    put(1024, std::string_view("\1\0\0\0\xff\x0f\0\0", 8));
    put(4086, "SWAPSPACE2");
    EXPECT_EQ(content().clauses, (Clauses{"it holds encrypted data (crypto_LUKS)", "it holds swap space"}));
}

TEST(DeviceContent, UnreadableDevicesHaveNone) {
    EXPECT_EQ(device_content(-1).clauses, Clauses{});
}

} // namespace
} // namespace zoneio
