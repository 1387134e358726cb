// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/driver.h"

namespace zoneio {

/// The image locks of the QEMU family, so that its programs and this one respect each other.
///
/// For each permission bit n a shared open-file-description lock (fcntl(2), F_OFD_SETLK) on byte 100+n says
/// "somebody does this", and one on byte 200+n says "somebody does not want others to do this". Being shared,
/// these locks never conflict by themselves: each side looks for the other's bytes after taking its own.
class FileLock {
public:
    /// Takes what `wanted` needs beyond what is held on `fd`; on failure holds what it held before.
    /// `filename` is for the message.
    static Status acquire(int fd, const Permissions& held, const Permissions& wanted, const std::string& filename);

    /// Takes on another descriptor of the file what this process holds already, so that nobody can object.
    static Status repeat(int fd, const Permissions& held);

    /// Gives up what `held` has beyond `wanted`.
    static void release(int fd, const Permissions& held, const Permissions& wanted);

    /// Does the kernel do open-file-description locks on this file?
    static bool supported(int fd);
};

} // namespace zoneio
