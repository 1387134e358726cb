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

/// The device interface that HostZones uses. Offsets and lengths are in bytes.
class ZonedDevice {
public:
    virtual ~ZonedDevice() = default;
    /// See ioctl_report_zones().
    virtual Status report_zones(uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones) = 0;
    /// See ioctl_manage_zones().
    virtual Status manage_zones(ZoneOp op, uint64_t offset, uint64_t bytes) = 0;
    /// Writes data with pwritev(2).
    virtual Status write_data(uint64_t offset, const IoVec& iov) = 0;
};

/// Zones of a host device: reports, management and append. Linux offers no append to programs, so an append is a write
/// at the write pointer.
///
/// The write pointer of a zone is read from the device once and updated at each write through this class. After an
/// error or a management operation it is read again. If another program moves the pointer, the device refuses the write
/// and the pointer is read again. Operations that move a pointer run one at a time.
class HostZones {
public:
    /// `length`: of the device, in bytes. The device must outlive this object.
    HostZones(ZonedDevice& device, uint64_t zone_size, uint64_t length)
        : device_(device), zone_size_(zone_size), length_(length) {}

    /// Calls `visit` for up to `count` zones, starting with the zone that contains `offset`. Returns the number of
    /// zones. Uses constant memory.
    Result<uint64_t> report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);

    /// EIO if the range starts with a conventional zone and is not the whole device; otherwise the device's error.
    Status manage(ZoneOp op, uint64_t offset, uint64_t bytes);

    /// Writes at the write pointer of the zone that starts at `offset`. Returns the offset of the data. EINVAL for a
    /// conventional zone; EIO, with nothing written, if the data does not fit into the rest of the zone; the device's
    /// error at a resource limit. With length 0, returns the write pointer.
    Result<uint64_t> append(uint64_t offset, const IoVec& iov);

    /// Calls `perform`, which writes to this range, and updates the write pointers. REQUIRES: the range is not empty.
    template <typename Perform>
    Status write(uint64_t offset, uint64_t bytes, Perform&& perform) {
        const std::lock_guard lock(mutex_);
        Status status = perform();
        status.ok() ? note_write(offset, bytes) : forget(offset, bytes);
        return status;
    }

private:
    /// Cached state of a zone.
    struct Zone {
        uint64_t pointer;
        uint64_t end; ///< end of the writable part; 0: not writable
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
    std::unordered_map<uint64_t, Zone> zones_; ///< by zone number; only zones that have been read
};

} // namespace zoneio
