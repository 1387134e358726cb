// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>

namespace zoneio {

/// Names one stretch of time in which the kernel's cache of a file cannot have lost anything: one boot of one host,
/// and one mount of one file system on one medium. While two looks at a file give the same identity, everything
/// written to the file between them is there, flushed or not.
struct MediumIdentity {
    std::array<char, 40> boot_id{}; ///< /proc/sys/kernel/random/boot_id, padded with zeros; empty: unknown
    uint64_t device = 0;            ///< st_dev
    /// Number of the disk in /sys/dev/block/MAJOR:MINOR/diskseq, new each time a medium is attached; 0: none known.
    uint64_t disk_sequence = 0;
    /// Inode number of the file system's folder below /sys/fs or /sys/class/bdi, which the kernel makes at each mount and
    /// never numbers the same way twice; 0: none known.
    uint64_t mount = 0;

    bool operator==(const MediumIdentity&) const = default;

    /// False where the boot is unknown: nothing can be told from such an identity.
    bool is_known() const { return boot_id.front() != '\0'; }

    /// The identity for the file behind a descriptor, as of now.
    static MediumIdentity of(int fd);
};

} // namespace zoneio
