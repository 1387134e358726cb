// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/driver.h"

namespace zoneio {

/// QEMU's image locks, which zoneio and QEMU's programs respect.
///
/// Permission bit n has two bytes of the file. A shared open file description lock (fcntl(2), F_OFD_SETLK) on byte
/// 100+n means "this user performs the operation", on byte 200+n "this user does not allow others to perform it".
/// Shared locks never conflict, so each program takes its own locks and then tests the other bytes.
class FileLock {
public:
    /// Takes the locks that `wanted` requires in addition to `held`. On failure, holds only those of `held`. `filename`
    /// is used in the error.
    static Status acquire(int fd, const Permissions& held, const Permissions& wanted, const std::string& filename);

    /// Takes the locks of `held` on another descriptor of the same file. They cannot conflict, because this process
    /// holds them already.
    static Status repeat(int fd, const Permissions& held);

    /// Releases the locks of `held` that `wanted` does not require.
    static void release(int fd, const Permissions& held, const Permissions& wanted);

    /// True if the kernel supports open file description locks on this file.
    static bool supported(int fd);
};

} // namespace zoneio
