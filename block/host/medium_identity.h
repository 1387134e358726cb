// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>

namespace zoneio {

/// Identifies a period in which the kernel's cache of a file cannot have lost data: one boot of a host and one mount of
/// a file system on one medium. If the identity is the same at two times, everything written to the file between them
/// is still there, flushed or not.
struct MediumIdentity {
    std::array<char, 40> boot_id{}; ///< /proc/sys/kernel/random/boot_id, padded with zeros; empty: unknown
    uint64_t device = 0;            ///< st_dev
    /// Disk number, from /sys/dev/block/MAJOR:MINOR/diskseq. It is new each time a medium is attached. 0: unknown.
    uint64_t disk_sequence = 0;
    /// Inode number of the file system's folder below /sys/fs or /sys/class/bdi. The kernel creates the folder at each
    /// mount and never reuses a number. 0: unknown.
    uint64_t mount = 0;

    bool operator==(const MediumIdentity&) const = default;

    /// False if the boot is unknown: such an identity proves nothing.
    bool is_known() const { return boot_id.front() != '\0'; }

    /// The present identity for the file of a descriptor.
    static MediumIdentity of(int fd);
};

} // namespace zoneio
