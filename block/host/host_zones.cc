// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/host_zones.h"

#include <algorithm>

namespace zoneio {

namespace {

/// Number of zones per report.
constexpr uint64_t zones_per_report = 1024;

/// Size of a request that the kernel never splits, so that it succeeds or fails as a whole.
constexpr uint64_t whole_request_bytes = 64U << 10;

/// True for errors by which a device may mean that a write was not at the write pointer. SCSI disks use their own.
bool may_mean_wrong_position(int error) {
    return error == EIO || error == EREMOTEIO;
}

bool can_be_written(ZoneState state) {
    return state != ZoneState::full && state != ZoneState::read_only && state != ZoneState::offline;
}

} // namespace

Result<uint64_t> HostZones::report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    std::vector<ZoneDescriptor> zones;
    uint64_t shown = 0;
    while (shown < count) {
        TRY(device_.report_zones(offset, std::min(count - shown, zones_per_report), zones));
        if (zones.empty() && offset < length_) {
            // The device was removed.
            return Status::from_errno(ENXIO);
        }
        for (const ZoneDescriptor& zone : zones) {
            visit(zone);
        }
        shown += zones.size();
        const uint64_t next = zones.empty() ? offset : zones.back().start + zones.back().length;
        if (next <= offset) {
            break;
        }
        offset = next;
    }
    return shown;
}

Status HostZones::manage(ZoneOp op, uint64_t offset, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const bool is_whole_device = bytes == length_;
    if (offset < length_ && !is_whole_device) {
        const Zone first = TRY(known_zone(offset));
        if (first.type == ZoneType::conventional) {
            return Status::error(EIO, "zone mgmt operations are not allowed for conventional zones");
        }
    }
    Status status = device_.manage_zones(op, offset, bytes);
    // After an error, too: the operation may have changed some of the zones.
    forget(offset, bytes);
    return status;
}

Result<uint64_t> HostZones::append(uint64_t offset, const IoVec& iov) {
    const std::lock_guard lock(mutex_);
    if (iov.bytes() == 0) {
        const Zone zone = TRY(read_zone(offset));
        if (zone.type == ZoneType::conventional) {
            return Status::from_errno(EINVAL);
        }
        return zone.pointer != no_write_pointer ? Result<uint64_t>(zone.pointer) : Status::from_errno(EIO);
    }
    return append_locked(offset, iov);
}

Result<uint64_t> HostZones::append_locked(uint64_t offset, const IoVec& iov) {
    Result<Zone> zone = known_zone(offset);
    const bool is_trusted = zone.ok() && zone->takes(iov.bytes()) && zone->type != ZoneType::sequential_preferred;
    if (zone.ok() && !is_trusted) {
        // The cached write pointer may be stale: another program may have reset the zone. In a
        // sequential-write-preferred zone, a write at a stale pointer would overwrite data.
        zone = read_zone(offset);
    }
    if (!zone.ok()) {
        return zone.status();
    }
    if (zone->type == ZoneType::conventional) {
        return Status::from_errno(EINVAL);
    }
    if (!zone->takes(iov.bytes())) {
        return Status::from_errno(EIO);
    }
    Status status = device_.write_data(zone->pointer, iov);
    if (status.ok()) {
        note_write(zone->pointer, iov.bytes());
        return zone->pointer;
    }
    forget(offset, zone_size_);
    if (!may_mean_wrong_position(status.code())) {
        return status;
    }
    return append_again(offset, iov, std::move(status));
}

/// Retries once at the write pointer that the device reports now.
Result<uint64_t> HostZones::append_again(uint64_t offset, const IoVec& iov, Status first_error) {
    const Result<Zone> zone = read_zone(offset);
    if (!zone.ok()) {
        return first_error;
    }
    if (!zone->takes(iov.bytes())) {
        return Status::from_errno(EIO);
    }
    Status status = write_in_order(zone->pointer, iov);
    if (status.ok()) {
        note_write(zone->pointer, iov.bytes());
        return zone->pointer;
    }
    forget(offset, zone_size_);
    return status;
}

/// Writes a range. The kernel splits a large write into requests, runs all of them and returns the last error. The
/// first request is written separately, so that its own error (a resource limit) is returned.
Status HostZones::write_in_order(uint64_t offset, const IoVec& iov) {
    const uint64_t first = std::min(iov.bytes(), whole_request_bytes);
    TRY(device_.write_data(offset, iov.slice(0, first)));
    if (first < iov.bytes()) {
        TRY(device_.write_data(offset + first, iov.slice(first, iov.bytes() - first)));
    }
    return {};
}

/// Reads a zone from the device. ENXIO if the device has no zone there.
Result<HostZones::Zone> HostZones::read_zone(uint64_t offset) {
    std::vector<ZoneDescriptor> zones;
    TRY(device_.report_zones(offset, 1, zones));
    if (zones.empty()) {
        return Status::from_errno(ENXIO);
    }
    const ZoneDescriptor& told = zones.front();
    const uint64_t end = can_be_written(told.state) ? told.start + told.capacity : 0;
    const Zone zone{told.write_pointer, end, told.type};
    zones_.insert_or_assign(offset / zone_size_, zone);
    return zone;
}

Result<HostZones::Zone> HostZones::known_zone(uint64_t offset) {
    const auto found = zones_.find(offset / zone_size_);
    return found != zones_.end() ? Result<Zone>(found->second) : read_zone(offset);
}

/// Updates the cached write pointer after a successful write.
void HostZones::note_write(uint64_t offset, uint64_t bytes) {
    const uint64_t end = offset + bytes;
    if (offset / zone_size_ != (end - 1) / zone_size_) {
        forget(offset, bytes);
        return;
    }
    const auto found = zones_.find(offset / zone_size_);
    if (found == zones_.end()) {
        return;
    }
    Zone& zone = found->second;
    switch (zone.type) {
    case ZoneType::conventional: break;
    case ZoneType::sequential_required: zone.pointer = end; break;
    case ZoneType::sequential_preferred: zone.pointer = std::max(zone.pointer, end); break;
    }
}

void HostZones::forget(uint64_t offset, uint64_t bytes) {
    if (bytes == 0) {
        return;
    }
    const uint64_t first = offset / zone_size_;
    const uint64_t last = (offset + bytes - 1) / zone_size_;
    if (last - first < zones_.size()) {
        for (uint64_t zone = first; zone <= last; zone++) {
            zones_.erase(zone);
        }
    } else {
        std::erase_if(zones_, [=](const auto& entry) { return entry.first >= first && entry.first <= last; });
    }
}

} // namespace zoneio
