// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_use.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

namespace zoneio {
namespace {

namespace fs = std::filesystem;
using Uses = std::vector<std::string>;

/// A disk sda (8:0) with partitions sda1 and sda2, a disk sdb (8:16) without partitions, and a mapped device (8:32).
class DeviceUse : public testing::Test {
protected:
    DeviceUse() {
        std::string pattern = (fs::temp_directory_path() / "device-use-XXXXXX").string();
        root_ = mkdtemp(pattern.data());
        files_ = {(root_ / "proc").string(), (root_ / "sys").string()};
        fs::create_directories(root_ / "proc/self");
        fs::create_directories(root_ / "sys/dev/block");
        add_device("sda", "8:0");
        add_device("sda/sda1", "8:1");
        add_device("sda/sda2", "8:2");
        put("sys/devices/sda/sda1/partition", "1\n");
        put("sys/devices/sda/sda2/partition", "2\n");
        add_device("sdb", "8:16");
        add_device("dm-0", "8:32");
        fs::create_directories(root_ / "sys/devices/dm-0/dm");
        put("sys/devices/dm-0/dm/name", "vg-data\n");
        put("proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n");
        put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
    }
    ~DeviceUse() override { fs::remove_all(root_); }

    void add_device(const std::string& path, const std::string& number) {
        fs::create_directories(root_ / "sys/devices" / path / "holders");
        put("sys/devices/" + path + "/dev", number + "\n");
        fs::create_directory_symlink(root_ / "sys/devices" / path, root_ / "sys/dev/block" / number);
    }
    void put(const std::string& path, const std::string& text) { std::ofstream(root_ / path) << text; }
    Uses uses(unsigned minor_number) { return device_uses(makedev(8, minor_number), files_).clauses; }

    fs::path root_;
    SystemFiles files_;
};

TEST_F(DeviceUse, AFreeDiskHasNone) {
    EXPECT_EQ(uses(16), Uses{});
}

TEST_F(DeviceUse, PartitionsCountForTheWholeDiskOnly) {
    EXPECT_EQ(uses(0), Uses{"it has the partitions sda1, sda2"});
    EXPECT_TRUE(device_uses(makedev(8, 0), files_).has_partitions);
    EXPECT_EQ(uses(1), Uses{});
    fs::remove(root_ / "sys/devices/sda/sda2/partition");
    EXPECT_EQ(uses(0), Uses{"it has the partition sda1"});
}

TEST_F(DeviceUse, Mounts) {
    put("proc/self/mountinfo", "30 22 8:16 / /srv/my\\040disk rw,relatime shared:1 - ext4 /dev/sdb rw\n");
    EXPECT_EQ(uses(16), Uses{"it is mounted on /srv/my disk"});
}

TEST_F(DeviceUse, MountsOfFileSystemsWithOtherDeviceNumbers) {
    put("proc/self/mountinfo", "30 22 0:45 /home /home rw - btrfs /dev/sdb rw\n"
                               "31 22 0:46 / /data rw shared:3 master:1 - btrfs /dev/mapper/vg-data rw\n");
    EXPECT_EQ(uses(16), Uses{"it is mounted on /home"});
    EXPECT_EQ(uses(32), Uses{"it is mounted on /data"});
}

TEST_F(DeviceUse, ManyMountsAreCutShort) {
    std::string table;
    for (const char* const point : {"/a", "/b", "/c", "/d", "/e"}) {
        table += std::string("30 22 8:16 / ") + point + " rw - ext4 /dev/sdb rw\n";
    }
    put("proc/self/mountinfo", table);
    EXPECT_EQ(uses(16), Uses{"it is mounted on /a, /b, /c and 2 more"});
}

TEST_F(DeviceUse, UsersOfPartitions) {
    put("proc/self/mountinfo", "30 22 8:1 / /boot rw - ext4 /dev/sda1 rw\n");
    put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2                partition\t100\t0\t-2\n");
    EXPECT_EQ(uses(0), (Uses{"sda1 is mounted on /boot", "sda2 is used as swap", "it has the partitions sda1, sda2"}));
    EXPECT_EQ(uses(2), Uses{"it is used as swap"});
}

TEST_F(DeviceUse, Holders) {
    fs::create_directories(root_ / "sys/devices/sdb/holders/md1");
    fs::create_directories(root_ / "sys/devices/sdb/holders/dm-3");
    EXPECT_EQ(uses(16), Uses{"it is part of dm-3, md1"});
}

TEST_F(DeviceUse, NamesWithASlash) {
    add_device("cciss!c0d0", "8:48");
    put("proc/swaps", "/dev/cciss/c0d0 partition 100 0 -2\n");
    EXPECT_EQ(uses(48), Uses{"it is used as swap"});
}

TEST_F(DeviceUse, MissingAndMalformedFilesAreIgnored) {
    EXPECT_EQ(uses(99), Uses{});
    put("proc/self/mountinfo", "\n8:16\n30 22 8:16\n- - - -\n\\\\04\n");
    fs::remove(root_ / "proc/swaps");
    fs::remove_all(root_ / "sys/devices/sda/holders");
    EXPECT_EQ(uses(0), Uses{"it has the partitions sda1, sda2"});
}

TEST_F(DeviceUse, FilesOfTheCurrentFolderAreIgnored) {
    const fs::path before = fs::current_path();
    fs::create_directories(root_ / "here/holders/dm-0");
    fs::current_path(root_ / "here");
    EXPECT_EQ(uses(99), Uses{});
    fs::current_path(before);
}

/// Loop devices loop0 to loop2 (7:0 to 7:2) on existing files and devices.
class LoopUse : public DeviceUse {
protected:
    LoopUse() {
        put("a.img", "");
        put("b.img", "");
    }

    void add_loop(unsigned number, const std::string& backing) {
        const std::string name = "loop" + std::to_string(number);
        add_device(name, "7:" + std::to_string(number));
        fs::create_directories(root_ / "sys/block");
        fs::create_directories(root_ / "sys/devices" / name / "loop");
        fs::create_directory_symlink(root_ / "sys/devices" / name, root_ / "sys/block" / name);
        put("sys/devices/" + name + "/loop/backing_file", backing + "\n");
    }
    std::string path(const std::string& name) { return (root_ / name).string(); }
    Uses loop_uses(unsigned number) { return device_uses(makedev(7, number), files_).clauses; }
    Uses uses_of_file(const std::string& name) {
        struct stat st{};
        EXPECT_EQ(stat(path(name).c_str(), &st), 0);
        return file_uses(st, files_);
    }
};

TEST_F(LoopUse, ASingleDeviceHasNone) {
    add_loop(0, path("a.img"));
    add_loop(1, path("b.img"));
    EXPECT_EQ(loop_uses(0), Uses{});
}

TEST_F(LoopUse, AnotherDeviceOfTheSameFile) {
    add_loop(0, path("a.img"));
    add_loop(1, path("b.img"));
    fs::create_hard_link(path("a.img"), path("c.img"));
    add_loop(2, path("c.img"));
    EXPECT_EQ(loop_uses(0), Uses{"loop2 is made of '" + path("a.img") + "', too"});
    EXPECT_EQ(loop_uses(1), Uses{});
}

TEST_F(LoopUse, AMountedDeviceOfTheSameFile) {
    add_loop(0, path("a.img"));
    add_loop(1, path("a.img"));
    fs::create_directories(root_ / "sys/devices/loop1/loop1p1/holders/dm-0");
    put("sys/devices/loop1/loop1p1/partition", "1\n");
    put("sys/devices/loop1/loop1p1/dev", "259:0\n");
    put("proc/self/mountinfo", "30 22 7:1 / /mnt rw - ext4 /dev/loop1 rw\n");
    EXPECT_EQ(loop_uses(0), (Uses{"loop1 is made of '" + path("a.img") + "', too", "loop1 is mounted on /mnt",
                                  "loop1p1 is part of dm-0"}));
}

TEST_F(LoopUse, DevicesOfARemovedFile) {
    add_loop(0, path("gone.img") + " (deleted)");
    add_loop(1, path("gone.img") + " (deleted)");
    add_loop(2, path("away.img") + " (deleted)");
    EXPECT_EQ(loop_uses(0), Uses{"loop1 is made of '" + path("gone.img") + " (deleted)', too"});
}

TEST_F(LoopUse, DevicesOfAFile) {
    add_loop(0, path("a.img"));
    put("proc/swaps", "/dev/loop0 partition 100 0 -2\n");
    EXPECT_EQ(uses_of_file("a.img"), (Uses{"loop0 is made of it", "loop0 is used as swap"}));
    EXPECT_EQ(uses_of_file("b.img"), Uses{});
}

TEST(PathUses, OtherKindsOfFilesHaveNone) {
    EXPECT_EQ(path_uses("/dev/null"), Uses{});
    EXPECT_EQ(path_uses("/"), Uses{});
    EXPECT_EQ(path_uses("/nonexistent"), Uses{});
}

} // namespace
} // namespace zoneio
