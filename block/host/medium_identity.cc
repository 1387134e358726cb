// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/medium_identity.h"

#include "block/base/file_descriptor.h"

#include <charconv>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace zoneio {

namespace {

/// First line of a small file of the kernel; empty if it cannot be read.
std::string read_line(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char text[64];
    const ssize_t length = file.valid() ? read(file.get(), text, sizeof(text)) : -1;
    const std::string_view line(text, length > 0 ? static_cast<size_t>(length) : 0);
    return std::string(line.substr(0, line.find('\n')));
}

/// Folder of a block device below /sys/devices; empty if there is none.
std::string device_folder(dev_t device) {
    char target[PATH_MAX];
    const std::string link = fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
    const ssize_t length = readlink(link.c_str(), target, sizeof(target));
    return length > 0 ? "/sys/dev/block/" + std::string(target, static_cast<size_t>(length)) : std::string();
}

/// For a partition, the number of its disk.
uint64_t disk_sequence_of(const std::string& folder) {
    std::string line = read_line(folder + "/diskseq");
    if (line.empty()) {
        line = read_line(folder + "/../diskseq");
    }
    uint64_t sequence = 0;
    (void)std::from_chars(line.data(), line.data() + line.size(), sequence);
    return sequence;
}

/// Name of a btrfs mount in sysfs: the identifier of the file system.
std::string btrfs_name(int fd) {
    btrfs_ioctl_fs_info_args info{};
    if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) < 0) {
        return {};
    }
    std::string name;
    for (size_t i = 0; i < std::size(info.fsid); i++) {
        name += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        fmt::format_to(std::back_inserter(name), "{:02x}", info.fsid[i]);
    }
    return name;
}

/// Folder of a mounted file system in sysfs; empty if its type has none.
std::string mount_folder(int fd, dev_t device, const std::string& disk_folder) {
    struct statfs fs{};
    if (fstatfs(fd, &fs) < 0) {
        return {};
    }
    const std::string disk = disk_folder.substr(disk_folder.rfind('/') + 1);
    switch (static_cast<unsigned long>(fs.f_type)) {
    case EXT4_SUPER_MAGIC: return "/sys/fs/ext4/" + disk;
    case XFS_SUPER_MAGIC: return "/sys/fs/xfs/" + disk;
    case F2FS_SUPER_MAGIC: return "/sys/fs/f2fs/" + disk;
    case BTRFS_SUPER_MAGIC: return "/sys/fs/btrfs/" + btrfs_name(fd);
    default: break;
    }
    // A file system without a disk (NFS, FUSE, overlays) gets a new number at each mount.
    return disk_folder.empty() ? fmt::format("/sys/class/bdi/{}:{}", major(device), minor(device)) : std::string();
}

} // namespace

MediumIdentity MediumIdentity::of(int fd) {
    MediumIdentity identity;
    const std::string boot_id = read_line("/proc/sys/kernel/random/boot_id");
    memcpy(identity.boot_id.data(), boot_id.data(), std::min(boot_id.size(), identity.boot_id.size()));
    struct stat st{};
    if (fstat(fd, &st) < 0) {
        return identity;
    }
    identity.device = st.st_dev;
    const std::string disk_folder = device_folder(st.st_dev);
    if (!disk_folder.empty()) {
        identity.disk_sequence = disk_sequence_of(disk_folder);
    }
    const std::string folder = mount_folder(fd, st.st_dev, disk_folder);
    if (struct stat mounted{}; !folder.empty() && ::stat(folder.c_str(), &mounted) == 0) {
        identity.mount = mounted.st_ino;
    }
    return identity;
}

} // namespace zoneio
