// SPDX-License-Identifier: GPL-3.0-or-later
//
// Requests to an emulated zoned device.
#include "block/zoned/emulated_zones.h"

#include "block/base/size.h"
#include "block/host/zone_ioctl.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

namespace zoneio {

namespace {

/// Value of bytes that were not written since the last reset.
constexpr uint8_t unwritten_byte = 0xff;

/// Longest request that null_blk accepts, in sectors. The kernel splits longer ones, and does all pieces even if the
/// first is refused.
constexpr uint64_t request_sectors = 255;

} // namespace

void EmulatedZones::announce_limits() {
    limits_.request_alignment = geometry().block_size;
    limits_.zoned = ZonedModel::host_managed;
    limits_.zone_size = geometry().zone_size;
    limits_.nr_zones = geometry().zone_count();
    limits_.max_append_bytes = geometry().max_append_bytes;
    limits_.max_open_zones = static_cast<uint32_t>(geometry().effective_max_open());
    limits_.max_active_zones = static_cast<uint32_t>(geometry().effective_max_active());
    limits_.write_granularity = geometry().block_size;
}

Status EmulatedZones::preadv(uint64_t offset, const IoVec& iov) {
    const std::shared_lock lock(reading_);
    const uint64_t bytes = iov.bytes();
    uint64_t run_begin = 0; // start of the range, up to `done`, that is to be read from the file
    const auto read_run = [&](uint64_t end) {
        if (run_begin == end) {
            return Status();
        }
        const uint64_t position = data_offset_ + offset + run_begin;
        return end - run_begin == bytes ? read_storage(position, iov)
                                        : read_storage(position, iov.slice(run_begin, end - run_begin));
    };
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t zone = (offset + done) / geometry().zone_size;
        const uint64_t from = offset + done - geometry().zone_start(zone);
        const uint64_t part = std::min(bytes - done, geometry().zone_length(zone) - from);
        uint64_t written = part;
        if (!geometry().is_conventional(zone)) {
            const ZoneWord word = table().current(zone);
            if (word.state == ZoneState::offline) {
                return Status::from_errno(EIO);
            }
            written = word.pointer > from ? std::min(part, word.pointer - from) : 0;
        }
        if (written < part) {
            TRY(read_run(done + written));
            iov.fill(done + written, part - written, unwritten_byte);
            run_begin = done + part;
        }
        done += part;
    }
    TRY(read_run(bytes));
    return check_table();
}

/// Reads from the storage. Fails at its end, where a file reads as zeros that nobody wrote.
Status EmulatedZones::read_storage(uint64_t position, const IoVec& iov) {
    TRY(storage_->preadv(position, iov));
    if (iov.bytes() == 0) {
        return {};
    }
    const iovec& last = iov.segments().back();
    const bool may_be_beyond_end = last.iov_len == 0 || static_cast<const uint8_t*>(last.iov_base)[last.iov_len - 1] == 0;
    return may_be_beyond_end ? check_length() : Status();
}

/// Writes data or zeros to a zone, then changes its word.
template <typename WriteData>
Status EmulatedZones::make_change(const ZoneChange& change, WriteData&& write_data) {
    TRY(before_change());
    TRY(before_write(change.zone, change.before.pointer));
    TRY(write_data());
    return commit(change);
}

Status EmulatedZones::commit(const ZoneChange& change) {
    // A file that was truncated or replaced must not get the word.
    TRY(check_table());
    TRY(model_->commit(change));
    if (change.victim != ZoneChange::no_zone) {
        cursor_moved();
    }
    return check_table();
}

template <typename WriteData>
Status EmulatedZones::write_zone(uint64_t zone, uint64_t offset, uint64_t bytes, WriteData&& write_data) {
    if (geometry().is_conventional(zone)) {
        TRY(before_change());
        return write_data();
    }
    const Result<ZoneChange> change = model_->begin_write(zone, offset - geometry().zone_start(zone), bytes);
    if (change.ok()) {
        return make_change(*change, write_data);
    }
    // If the first piece is refused, the pointer does not move, so a second piece is not at the write pointer.
    const uint64_t largest_piece = request_sectors * sector_size / geometry().block_size * geometry().block_size;
    return bytes > largest_piece ? Status::from_errno(EIO, change.status().cause()) : change.status();
}

/// Splits a write at the ends of zones, as the kernel does: tries all parts and returns the last error.
template <typename WriteData>
Status EmulatedZones::write_zones(uint64_t offset, uint64_t bytes, WriteData&& write_data) {
    const std::lock_guard lock(changing_);
    Status last = check_table();
    if (!last.ok()) {
        return last;
    }
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t position = offset + done;
        const uint64_t zone = position / geometry().zone_size;
        const uint64_t end = geometry().zone_start(zone) + geometry().zone_length(zone);
        const uint64_t part = std::min(bytes - done, end - position);
        Status status = write_zone(zone, position, part, [&] { return write_data(done, part); });
        if (!status.ok()) {
            last = std::move(status);
        }
        done += part;
    }
    return last;
}

Status EmulatedZones::pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) {
    return write_zones(offset, iov.bytes(), [&](uint64_t done, uint64_t bytes) {
        const uint64_t position = data_offset_ + offset + done;
        return bytes == iov.bytes() ? storage_->pwritev(position, iov, {})
                                    : storage_->pwritev(position, iov.slice(done, bytes), {});
    });
}

Status EmulatedZones::pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    if (flags.no_fallback) {
        return Status::from_errno(ENOTSUP);
    }
    return write_zones(offset, bytes, [&](uint64_t done, uint64_t part) {
        return storage_->pwrite_zeroes(data_offset_ + offset + done, part, holes);
    });
}

Result<uint64_t> EmulatedZones::zone_append(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) {
    trace_zbd_zone_append(this, offset / sector_size);
    const uint64_t position = TRY(append(offset, iov));
    trace_zbd_zone_append_complete(this, position / sector_size);
    return position;
}

Result<uint64_t> EmulatedZones::append(uint64_t offset, const IoVec& iov) {
    const uint64_t zone = offset / geometry().zone_size;
    if (geometry().is_conventional(zone)) {
        return Status::from_errno(EINVAL);
    }
    if (geometry().max_append_bytes != 0 && iov.bytes() > geometry().max_append_bytes) {
        return Status::invalid(fmt::format("an append of {} bytes exceeds the limit of the device, {}", iov.bytes(),
                                           geometry().max_append_bytes))
            .because(Cause::append_too_long, {.limit = geometry().max_append_bytes});
    }
    const std::lock_guard lock(changing_);
    TRY(may_change());
    const ZoneChange change = TRY(model_->begin_append(zone, iov.bytes()));
    const uint64_t position = offset + change.before.pointer;
    if (!change.changes_anything()) {
        const bool has_pointer = model_->describe(zone).write_pointer != no_write_pointer;
        return has_pointer ? Result<uint64_t>(position) : Status::from_errno(EIO);
    }
    TRY(make_change(change, [&] { return storage_->pwritev(data_offset_ + position, iov, {}); }));
    return position;
}

Result<uint64_t> EmulatedZones::zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    trace_zbd_zone_report(this, count, offset / sector_size);
    const std::lock_guard lock(changing_);
    const uint64_t zones = geometry().zone_count();
    const uint64_t first = offset < geometry().size ? offset / geometry().zone_size : zones;
    const uint64_t end = first + std::min(count, zones - first);
    // Copied first: words from a page of the table that cannot be read must not reach the caller.
    std::array<ZoneDescriptor, 64> described;
    for (uint64_t zone = first; zone < end;) {
        const uint64_t count_now = std::min<uint64_t>(described.size(), end - zone);
        for (uint64_t i = 0; i < count_now; i++) {
            described[i] = model_->describe(zone++);
        }
        TRY(check_table());
        for (const ZoneDescriptor& descriptor : std::span(described).first(count_now)) {
            visit(descriptor);
        }
    }
    return end - first;
}

/// Effects of a management operation besides the word: writes zeros up to the end of a zone that becomes readable,
/// frees the space of a zone that becomes empty.
Status EmulatedZones::make_management_change(const ZoneChange& change) {
    const uint64_t zone = change.zone;
    if (change.after.pointer > change.before.pointer) {
        const uint64_t begin = data_offset_ + geometry().zone_start(zone) + change.before.pointer;
        return make_change(change, [&] {
            return storage_->pwrite_zeroes(begin, change.after.pointer - change.before.pointer, holes);
        });
    }
    TRY(before_change());
    if (change.after.pointer == change.before.pointer && change.after.state != ZoneState::offline) {
        return commit(change);
    }
    {
        const std::unique_lock alone(reading_);
        TRY(commit(change));
    }
    if (change.after.state == ZoneState::empty) {
        after_reset(zone);
    }
    return {};
}

Status EmulatedZones::zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
    const std::lock_guard lock(changing_);
    const bool whole_device = bytes == geometry().size;
    if (offset < geometry().size && !whole_device && geometry().is_conventional(offset / geometry().zone_size)) {
        return Status::error(EIO, "zone mgmt operations are not allowed for conventional zones");
    }
    trace_zbd_zone_mgmt(this, zone_ioctl_name(op), offset / sector_size, bytes / sector_size);
    Status status = may_change();
    if (status.ok() && bytes == 0) {
        status = Status::from_errno(EINVAL);
    }
    if (status.ok()) {
        status = model_->manage(op, offset / geometry().zone_size, zones_in(offset, bytes),
                                [&](const ZoneChange& change) { return make_management_change(change); });
    }
    if (!status.ok() && !status.has_text()) {
        const int code = status.code();
        return std::move(status).with_text(fmt::format("ioctl {} failed -{}", zone_ioctl_name(op), code));
    }
    return status;
}

Status EmulatedZones::set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) {
    const std::lock_guard lock(changing_);
    TRY(may_change());
    const uint64_t first = offset / geometry().zone_size;
    for (uint64_t zone = first; zone < first + zones_in(offset, bytes); zone++) {
        const ZoneChange change = TRY(model_->begin_state(zone, state));
        if (change.changes_anything()) {
            TRY(make_management_change(change));
        }
    }
    return {};
}

Status EmulatedZones::flush() {
    const std::lock_guard lock(changing_);
    TRY(check_length());
    TRY(flush_zones());
    return check_table();
}

Status EmulatedZones::truncate(uint64_t size, PreallocMode mode) {
    return truncate_device(size, mode, geometry().size);
}

} // namespace zoneio
