// SPDX-License-Identifier: GPL-3.0-or-later
//
// Requests of the driver `blklogwrites`.
#include "block/log/log_writes.h"

#include "block/log/zone_states.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

/// Splits a request into parts, each of which is logged if it was done: on a zoned device, a part lies within a zone.
/// As in the kernel, all parts are tried and the last error is returned.
template <typename Part>
Status LogWritesDriver::for_each_part(uint64_t offset, uint64_t bytes, Part&& part) {
    const uint64_t end = offset + bytes;
    Status last;
    for (uint64_t begin = offset; begin < end;) {
        const uint64_t zone_end = is_zoned() ? (begin / limits_.zone_size + 1) * limits_.zone_size : end;
        const uint64_t length = std::min(end, zone_end) - begin;
        Status status = part(begin, length, begin + length == end);
        if (!status.ok()) {
            last = std::move(status);
        }
        begin += length;
    }
    return last;
}

LogWritesDriver::Turn LogWritesDriver::turn_for(uint64_t offset, uint64_t bytes) {
    if (!is_zoned()) {
        return Turn(requests_, offset, offset + bytes, true);
    }
    const uint64_t zone = limits_.zone_size;
    return Turn(requests_, offset / zone * zone, (offset + std::max<uint64_t>(bytes, 1) + zone - 1) / zone * zone, true);
}

/// Logs the zones before the first change of a session.
Status LogWritesDriver::begin_change() {
    if (has_begun_ || !is_zoned()) {
        return {};
    }
    const Turn alone(beginning_, 0, 1, true);
    Status status = has_begun_ ? Status() : log_device();
    has_begun_ = has_begun_ || status.ok();
    return status;
}

Status LogWritesDriver::log_device() {
    const uint64_t length = TRY(child_->length());
    std::vector<uint8_t> own(LoggedDevice::bytes_on_medium);
    LoggedDevice::of(limits_, length, zone_control().cursor).encode(own);
    LogEntry entry;
    entry.kind = LogKind::device;
    TRY(log_->append(entry, own));
    entry.kind = LogKind::zones;
    return log_zones(
        limits_.zone_size, log_->sector_size() - LogEntry::bytes_on_medium,
        [&](const ZoneVisitor& visit) { return child_->zone_report(0, limits_.nr_zones, visit); },
        [&](std::span<const uint8_t> piece) { return log_->append(entry, piece); });
}

/// Makes a write and its entry. The first forced write after a flush is logged with FUA; after the entry of any other
/// forced write, a flush follows. QEMU places its flushes in the same way and sets no FUA flag. `perform` writes to the
/// child, `put` appends the entry.
template <typename Perform, typename Put>
Status LogWritesDriver::write_part(uint64_t offset, uint64_t bytes, bool forced, Perform&& perform, Put&& put) {
    const Turn turn = turn_for(offset, bytes);
    Status status = begin_change();
    if (!status.ok()) {
        return status;
    }
    status = perform();
    if (status.code() == ENOTSUP) {
        // Nothing was written. For zeros, the node tries another way.
        return status;
    }
    const bool was_dirty = is_dirty_.exchange(true);
    LogEntry entry;
    entry.kind = LogKind::write;
    entry.offset = offset;
    entry.length = bytes;
    if (status.ok() && forced && !was_dirty) {
        status = child_->flush();
        entry.fua = status.ok();
    }
    // A failed write may have been done in part. In a zone, the write pointer shows which part.
    Status logged = status.ok() || !is_zoned() ? put(entry) : Status();
    if (status.ok() && logged.ok() && forced && was_dirty) {
        status = flush_logged();
    }
    return status.ok() ? std::move(logged) : std::move(status);
}

Status LogWritesDriver::pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    const bool forced = flags.fua && !no_flush_;
    flags.fua = false;
    return for_each_part(offset, iov.bytes(), [&](uint64_t begin, uint64_t bytes, bool last) {
        const IoVec part = bytes == iov.bytes() ? iov : iov.slice(begin - offset, bytes);
        return write_part(
            begin, bytes, forced && last, [&] { return child_->pwritev(begin, part, flags); },
            [&](const LogEntry& entry) { return log_->append(entry, part); });
    });
}

Status LogWritesDriver::pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) {
    const bool forced = flags.fua && !no_flush_;
    flags.fua = false;
    return for_each_part(offset, bytes, [&](uint64_t begin, uint64_t length, bool last) {
        return write_part(
            begin, length, forced && last, [&] { return child_->pwrite_zeroes(begin, length, flags); },
            [&](const LogEntry& entry) { return log_->append_zeroes(entry); });
    });
}

Status LogWritesDriver::pdiscard(uint64_t offset, uint64_t bytes) {
    if (is_zoned()) {
        return child_->pdiscard(offset, bytes);
    }
    if ((offset | bytes) % limits_.request_alignment != 0) {
        // An entry cannot describe parts of a sector, and a discard is only advice.
        return Status::from_errno(ENOTSUP);
    }
    const Turn turn = turn_for(offset, bytes);
    LogEntry entry;
    entry.kind = LogKind::discard;
    entry.offset = offset;
    entry.length = bytes;
    is_dirty_ = true;
    Status status = child_->pdiscard(offset, bytes);
    Status logged = log_->append(entry);
    return status.ok() ? std::move(logged) : std::move(status);
}

/// QEMU logs nothing here, so its log does not lead to the image.
Status LogWritesDriver::truncate(uint64_t size, PreallocMode mode) {
    const Turn alone(requests_, 0, INT64_MAX, true);
    const Result<uint64_t> before = child_->length();
    is_dirty_ = true;
    Status status = before.ok() ? child_->truncate(size, mode) : before.status();
    // The length of a device stays.
    const Result<uint64_t> after = child_->length();
    if (!status.ok() || !after.ok() || *after == *before) {
        return status.ok() ? after.status() : status;
    }
    LogEntry entry;
    entry.kind = LogKind::length;
    entry.length = *after;
    return log_->append(entry);
}

/// A flush covers what was logged before it started. So its entry is reserved at the start and filled when it has
/// succeeded.
Status LogWritesDriver::flush_logged() {
    const uint64_t place = TRY(log_->reserve());
    Status status = child_->flush();
    if (!status.ok()) {
        return status;
    }
    LogEntry entry;
    entry.kind = LogKind::flush;
    status = log_->fill(place, entry);
    return status.ok() ? log_->flush() : std::move(status);
}

Status LogWritesDriver::flush() {
    Status status = begin_change();
    if (status.ok()) {
        const bool was_dirty = is_dirty_.exchange(false);
        status = flush_logged();
        if (!status.ok() && was_dirty) {
            is_dirty_ = true;
        }
    }
    return status;
}

Status LogWritesDriver::mark(std::string_view name) {
    TRY(begin_change());
    const size_t most = log_->sector_size() - LogEntry::bytes_on_medium - 1;
    if (name.size() > most) {
        return Status::invalid(fmt::format("the name of a mark has at most {} bytes in this log", most));
    }
    LogEntry entry;
    entry.kind = LogKind::mark;
    return log_->append(entry, {reinterpret_cast<const uint8_t*>(name.data()), name.size()});
}

Result<uint64_t> LogWritesDriver::zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    const Turn turn = turn_for(offset, iov.bytes());
    TRY(begin_change());
    const bool was_dirty = is_dirty_.exchange(true);
    const bool forced = flags.fua && !no_flush_;
    flags.fua = false;
    Result<uint64_t> position = child_->zone_append(offset, iov, flags);
    if (!position.ok() || iov.bytes() == 0) {
        return position;
    }
    LogEntry entry;
    entry.kind = LogKind::append;
    entry.offset = *position;
    entry.length = iov.bytes();
    Status status;
    if (forced && !was_dirty) {
        status = child_->flush();
        entry.fua = status.ok();
    }
    Status logged = log_->append(entry, iov);
    if (status.ok() && logged.ok() && forced && was_dirty) {
        status = flush_logged();
    }
    status = status.ok() ? std::move(logged) : std::move(status);
    return status.ok() ? std::move(position) : Result<uint64_t>(status);
}

/// If an operation on several zones fails on some, its effects on the others are logged zone by zone.
Status LogWritesDriver::log_zone_op(ZoneOp op, uint64_t offset, uint64_t bytes, Status status) {
    LogEntry entry;
    entry.kind = log_kind_of(op);
    entry.offset = offset;
    entry.length = bytes;
    if (status.ok()) {
        return log_->append(entry);
    }
    if (bytes <= limits_.zone_size) {
        return status;
    }
    Status logged;
    const auto log_done = [&](const ZoneDescriptor& zone) {
        const bool is_done = (op == ZoneOp::reset && zone.state == ZoneState::empty) ||
                             (op == ZoneOp::finish && zone.state == ZoneState::full) ||
                             (op == ZoneOp::open && zone.state == ZoneState::explicit_open) ||
                             (op == ZoneOp::close && (zone.state == ZoneState::closed || zone.state == ZoneState::empty));
        if (!logged.ok() || !is_done || zone.type == ZoneType::conventional || zone.start >= offset + bytes) {
            return;
        }
        // Closing a zone without data makes it empty, like a reset.
        entry.kind = op == ZoneOp::close && zone.state == ZoneState::empty ? LogKind::reset : log_kind_of(op);
        entry.offset = zone.start;
        entry.length = zone.length;
        logged = log_->append(entry);
    };
    const uint64_t count = (bytes + limits_.zone_size - 1) / limits_.zone_size;
    const Result<uint64_t> seen = child_->zone_report(offset, count, log_done);
    return !seen.ok() ? seen.status() : !logged.ok() ? std::move(logged) : std::move(status);
}

Status LogWritesDriver::zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
    const Turn turn = turn_for(offset, bytes);
    TRY(begin_change());
    is_dirty_ = true;
    return log_zone_op(op, offset, bytes, child_->zone_mgmt(op, offset, bytes));
}

Status LogWritesDriver::set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) {
    const Turn turn = turn_for(offset, bytes);
    TRY(begin_change());
    is_dirty_ = true;
    Status status = child_->set_zone_state(offset, bytes, state);
    LogEntry entry;
    entry.kind = LogKind::state;
    entry.offset = offset;
    entry.length = bytes;
    entry.state = state;
    return status.ok() ? log_->append(entry) : std::move(status);
}

} // namespace zoneio
