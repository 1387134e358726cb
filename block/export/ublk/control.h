// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "block/export/ublk/ring.h"
#include "block/export/ublk/uapi.h"

#include <memory>
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

    /// Features of this kernel's driver, see ublk::Info::flags. Cause: ublk_too_old.
    Result<uint64_t> features();
    /// Creates a device. The kernel updates `info`.
    Status add(ublk::Info& info);
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
    UblkControl() = default;
    Status run(uint32_t code, ublk::ControlCommand command);
    Status run_with(uint32_t code, uint32_t device, void* buffer, uint16_t length);

    FileDescriptor file_;
    UblkRing ring_;
};

} // namespace zoneio
