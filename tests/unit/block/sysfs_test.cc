// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/sysfs.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sys/sysmacros.h>

namespace zoneio {
namespace {

namespace fs = std::filesystem;

/// A private sysfs tree with one disk, 8:16, and its partition 8:17, laid out as by the kernel.
class SysfsTest : public ::testing::Test {
protected:
    SysfsTest() {
        std::string pattern = (fs::temp_directory_path() / "sysfs-XXXXXX").string();
        root_ = mkdtemp(pattern.data());
        fs::create_directories(disk() / "queue");
        fs::create_directories(disk() / "sdb1");
        fs::create_directories(root_ / "dev/block");
        fs::create_directory_symlink("../../devices/sdb", root_ / "dev/block/8:16");
        fs::create_directory_symlink("../../devices/sdb/sdb1", root_ / "dev/block/8:17");
        std::ofstream(disk() / "sdb1/partition") << "1\n";
        for (const auto& [name, value] : zoned_disk) {
            set(name, value);
        }
    }
    ~SysfsTest() override { fs::remove_all(root_); }

    static inline const std::map<std::string, std::string> zoned_disk = {
        {"zoned", "host-managed"},        {"chunk_sectors", "524288"},   {"nr_zones", "75"},
        {"physical_block_size", "4096"}, {"zone_append_max_bytes", "131072"},
        {"max_open_zones", "128"},        {"max_active_zones", "0"},
    };

    fs::path disk() const { return root_ / "devices/sdb"; }
    void set(const std::string& name, const std::string& value) {
        std::ofstream(disk() / "queue" / name) << value << '\n';
    }
    void remove(const std::string& name) { fs::remove(disk() / "queue" / name); }

    Result<QueueAttributes> read(unsigned minor_number = 16) const {
        return queue_attributes(makedev(8, minor_number), root_.string());
    }

    fs::path root_;
};

TEST_F(SysfsTest, ReadsEveryAttribute) {
    const Result<QueueAttributes> queue = read();
    ASSERT_TRUE(queue.ok()) << queue.status().message();
    EXPECT_EQ(queue->zoned, ZonedModel::host_managed);
    EXPECT_FALSE(queue->is_partition);
    EXPECT_EQ(queue->zone_size, 256U << 20);
    EXPECT_EQ(queue->nr_zones, 75U);
    EXPECT_EQ(queue->write_granularity, 4096U);
    EXPECT_EQ(queue->max_append_bytes, 131072U);
    EXPECT_EQ(queue->max_open_zones, 128U);
    EXPECT_EQ(queue->max_active_zones, 0U);
}

TEST_F(SysfsTest, WriteGranularityComesFromTheKernelIfReported) {
    set("zone_write_granularity", "512");
    EXPECT_EQ(read()->write_granularity, 512U);
    set("zone_write_granularity", "0");
    EXPECT_EQ(read()->write_granularity, 4096U);
}

TEST_F(SysfsTest, ReadsTheDiscardGranularityOfAnyDevice) {
    EXPECT_EQ(read()->discard_granularity, 0U);
    set("discard_granularity", "1048576");
    EXPECT_EQ(read()->discard_granularity, 1048576U);
    EXPECT_EQ(read(17)->discard_granularity, 1048576U);
    set("zoned", "none");
    EXPECT_EQ(read()->discard_granularity, 1048576U);
}

TEST_F(SysfsTest, ReadsTheZonedModel) {
    set("zoned", "host-aware");
    EXPECT_EQ(read()->zoned, ZonedModel::host_aware);
    set("zoned", "none");
    EXPECT_EQ(read()->zoned, ZonedModel::none);
}

TEST_F(SysfsTest, APartitionUsesTheQueueOfItsDevice) {
    const Result<QueueAttributes> queue = read(17);
    ASSERT_TRUE(queue.ok()) << queue.status().message();
    EXPECT_TRUE(queue->is_partition);
    EXPECT_EQ(queue->zoned, ZonedModel::host_managed);
    EXPECT_EQ(queue->zone_size, 256U << 20);
}

TEST_F(SysfsTest, ADeviceMissingInSysfsIsNotZoned) {
    const Result<QueueAttributes> queue = read(99);
    ASSERT_TRUE(queue.ok());
    EXPECT_EQ(queue->zoned, ZonedModel::none);
}

TEST_F(SysfsTest, AKernelWithoutTheModelHasNoZones) {
    remove("zoned");
    ASSERT_TRUE(read().ok());
    EXPECT_EQ(read()->zoned, ZonedModel::none);
}

TEST_F(SysfsTest, OlderKernelsReportNoLimits) {
    for (const char* name : {"zone_append_max_bytes", "max_open_zones", "max_active_zones"}) {
        remove(name);
    }
    const Result<QueueAttributes> queue = read();
    ASSERT_TRUE(queue.ok()) << queue.status().message();
    EXPECT_EQ(queue->max_append_bytes, 0U);
    EXPECT_EQ(queue->max_open_zones, 0U);
}

TEST_F(SysfsTest, NamesTheMissingAttribute) {
    for (const char* name : {"chunk_sectors", "nr_zones", "physical_block_size"}) {
        remove(name);
        const Result<QueueAttributes> queue = read();
        ASSERT_FALSE(queue.ok()) << name;
        EXPECT_EQ(queue.status().code(), ENOENT);
        EXPECT_NE(queue.status().message().find(std::string("/queue/") + name), std::string::npos)
            << queue.status().message();
        set(name, zoned_disk.at(name));
    }
}

TEST_F(SysfsTest, OtherAttributesAreIgnoredIfNotZoned) {
    set("zoned", "none");
    remove("chunk_sectors");
    set("nr_zones", "many");
    EXPECT_TRUE(read().ok());
}

struct Malformed {
    const char* name;
    const char* value;
};

class MalformedSysfs : public SysfsTest, public ::testing::WithParamInterface<Malformed> {};

TEST_P(MalformedSysfs, IsRefusedByName) {
    set(GetParam().name, GetParam().value);
    const Result<QueueAttributes> queue = read();
    ASSERT_FALSE(queue.ok());
    EXPECT_EQ(queue.status().code(), EINVAL);
    EXPECT_NE(queue.status().message().find(GetParam().name), std::string::npos) << queue.status().message();
}

INSTANTIATE_TEST_SUITE_P(
    Values, MalformedSysfs,
    ::testing::Values(Malformed{"zoned", "host-what"}, Malformed{"zoned", ""}, Malformed{"chunk_sectors", "0"},
                      Malformed{"chunk_sectors", "-1"}, Malformed{"chunk_sectors", "12x"},
                      Malformed{"chunk_sectors", "36028797018963968"},  // 2^55 sectors exceed 64 bits of bytes
                      Malformed{"nr_zones", "0"}, Malformed{"nr_zones", ""}, Malformed{"nr_zones", " 7"},
                      Malformed{"max_open_zones", "4294967296"}, Malformed{"max_active_zones", "none"},
                      Malformed{"zone_append_max_bytes", "18446744073709551616"},
                      Malformed{"physical_block_size", "0"},
                      Malformed{"nr_zones", "1111111111111111111111111111111111111111111111111111111111111111111111"}));

} // namespace
} // namespace zoneio
