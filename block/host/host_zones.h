// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/status.h"
#include "block/node/driver.h"
#include "block/node/limits.h"
#include "block/node/zone.h"

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace zoneio {

/// What HostZones needs of a device. Offsets and lengths in bytes.
class ZonedDevice {
public:
    virtual ~ZonedDevice() = default;
    /// As ioctl_report_zones.
    virtual Status report_zones(uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones) = 0;
    /// As ioctl_manage_zones.
    virtual Status manage_zones(ZoneOp op, uint64_t offset, uint64_t bytes) = 0;
    /// A plain write.
    virtual Status write_data(uint64_t offset, const IoVec& iov) = 0;
};

/// The zones of a host device: reports, management, and append, which Linux does not offer to user space and is a
/// write at the write pointer here.
///
/// Where that pointer is, is asked of the device once per zone, and followed through every write that goes this way;
/// after anything else that may have moved it (an error, management) it is asked again. Other programs may write
/// to the device too: the device refuses a write that is not at its pointer, which is then found out anew.
/// Everything that moves a pointer is done one at a time.
class HostZones {
public:
    /// `length` is the device's. Refers to the device, which outlives it.
    HostZones(ZonedDevice& device, uint64_t zone_size, uint64_t length)
        : device_(device), zone_size_(zone_size), length_(length) {}

    /// Shows up to `count` zones from the one that holds `offset`; returns how many. Memory does not grow with them.
    Result<uint64_t> report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);

    /// EIO for a range that begins with a conventional zone and is not the whole device; else what the device says.
    Status manage(ZoneOp op, uint64_t offset, uint64_t bytes);

    /// Writes at the write pointer of the zone that begins at `offset`, and returns where that was. EINVAL for
    /// a conventional zone; EIO, and nothing written, when it does not fit into what is left of the zone; a resource
    /// limit refuses it with its own error. Length 0 tells the pointer.
    Result<uint64_t> append(uint64_t offset, const IoVec& iov);

    /// Does `perform`, a write of any kind to this range, which is not empty.
    template <typename Perform>
    Status write(uint64_t offset, uint64_t bytes, Perform&& perform) {
        const std::lock_guard lock(mutex_);
        Status status = perform();
        status.ok() ? note_write(offset, bytes) : forget(offset, bytes);
        return status;
    }

private:
    /// What is known of a zone.
    struct Zone {
        uint64_t pointer;
        uint64_t end; ///< how far it can be written; 0: not at all
        ZoneType type;

        bool takes(uint64_t bytes) const { return pointer <= end && bytes <= end - pointer; }
    };

    Result<Zone> read_zone(uint64_t offset);
    Result<Zone> known_zone(uint64_t offset);
    Result<uint64_t> append_locked(uint64_t offset, const IoVec& iov);
    Result<uint64_t> append_again(uint64_t offset, const IoVec& iov, Status first_error);
    Status write_in_order(uint64_t offset, const IoVec& iov);
    void note_write(uint64_t offset, uint64_t bytes);
    void forget(uint64_t offset, uint64_t bytes);

    ZonedDevice& device_;
    uint64_t zone_size_;
    uint64_t length_;
    std::mutex mutex_;
    std::unordered_map<uint64_t, Zone> zones_; ///< by number; those that are not known are not here
};

} // namespace zoneio
