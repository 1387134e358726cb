// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "block/export/ublk/ring.h"
#include "block/export/ublk/uapi.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace zoneio {

std::string ublk_block_device(uint32_t number);
std::string ublk_character_device(uint32_t number);

/// /dev/ublk-control: creates, starts, stops and deletes devices. Each call waits until the kernel has finished. May be
/// used by one thread at a time.
class UblkControl {
public:
    /// Causes: no_ublk, ublk_needs_root, no_io_uring.
    static Result<std::unique_ptr<UblkControl>> open();

    /// Features that this kernel's driver has, see ublk::Info::flags; before Linux 6.5, may have.
    uint64_t features() const { return features_; }
    /// Creates a device. The kernel updates `info`. Causes: ublk_needs_root, ublk_not_given: a user's device exists, and he
    /// may not use it.
    Status add(ublk::Info& info);
    /// Waits until this user may open the file of a new device with a mode of access(2): udev gives it to him. Cause:
    /// ublk_not_given.
    static Status wait_until_given(const std::string& file, int access_mode);
    /// Causes: ublk_not_waiting (no such device), ublk_needs_root.
    Result<ublk::Info> info(uint32_t device);
    Status set_parameters(uint32_t device, ublk::Parameters parameters);
    Result<ublk::Parameters> parameters(uint32_t device);
    /// Returns after the kernel has read the zones and the partitions, while the queues are served.
    Status start(uint32_t device);
    /// Removes the block device, while requests in flight are served.
    Status stop(uint32_t device);
    /// Deletes the device once it is closed by all users. Does not wait for that if the kernel supports it.
    void remove(uint32_t device);
    /// Makes the device wait for a new server. EBUSY until the old one has ended.
    Status start_recovery(uint32_t device);
    Status end_recovery(uint32_t device);

private:
    struct Call {
        uint32_t code = 0;
        uint32_t device = 0;
        std::span<uint8_t> data = {};             ///< read and written by the kernel
        uint64_t word = 0;
        std::function<bool()> is_enough = nullptr; ///< asked again and again; true: the result is not awaited
    };

    UblkControl() = default;
    Status run(const Call& call);
    int32_t wait_for(const Call& call, const ublk::ControlCommand& command);

    FileDescriptor file_;
    UblkRing ring_;
    uint64_t features_ = ublk::f_ioctl_encode;
    uint64_t commands_ = 0;
    bool needs_path_ = false; ///< the kernel checks whether the user may use the character device, whose path it is told
};

} // namespace zoneio
