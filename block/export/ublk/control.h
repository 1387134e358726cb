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

/// /dev/ublk-control: makes, starts, stops and deletes devices. Each command waits until the kernel has done it. Used by one
/// thread at a time.
class UblkControl {
public:
    /// Causes: no_ublk, ublk_needs_root, no_io_uring.
    static Result<std::unique_ptr<UblkControl>> open();

    /// What this kernel's driver can do, see ublk::Info::flags. Cause: ublk_too_old.
    Result<uint64_t> features();
    /// Makes a device; the kernel changes `info` to what it has made.
    Status add(ublk::Info& info);
    Result<ublk::Info> info(uint32_t device);
    Status set_parameters(uint32_t device, ublk::Parameters parameters);
    Result<ublk::Parameters> parameters(uint32_t device);
    /// Returns when the kernel has read the zones and the partitions; the queues are served meanwhile.
    Status start(uint32_t device);
    /// Takes the block device away. What is under way is served meanwhile.
    Status stop(uint32_t device);
    /// Deletes the device as soon as nobody has it open, and does not wait for that where the kernel can do without.
    void remove(uint32_t device);
    /// The device waits for a new server. EBUSY as long as the old one has not gone.
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
