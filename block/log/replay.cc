// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/replay.h"

#include <fmt/format.h>

namespace zoneio {

Status LogReplay::only_try() {
    only_tries_ = true;
    if (backend_.limits().zoned == ZonedModel::none) {
        return {};
    }
    Result<std::unique_ptr<ZoneTrial>> trial = backend_.zone_trial();
    if (trial.ok()) {
        trial_ = std::move(*trial);
    }
    return std::move(trial).status();
}

Result<uint64_t> LogReplay::length() const {
    return tried_length_ ? Result<uint64_t>(*tried_length_) : backend_.length();
}

Status LogReplay::check_range(const LogEntry& entry) {
    const Result<uint64_t> length = this->length();
    if (!length.ok()) {
        return length.status();
    }
    if (entry.kind == LogKind::length) {
        return {};
    }
    if (entry.offset > *length || entry.length > *length - entry.offset) {
        return Status::invalid(fmt::format("it ends at offset {}, but the image has {} bytes", entry.offset + entry.length, *length))
            .because(Cause::write_log_of_other);
    }
    const bool needs_zones = zone_op_of(entry.kind) || entry.kind == LogKind::state || entry.kind == LogKind::append;
    if (needs_zones && backend_.limits().zoned == ZonedModel::none) {
        return Status::invalid("the image that is open is no zoned device")
            .because(Cause::write_log_of_other);
    }
    return {};
}

Status LogReplay::check_device(const LogEntry& entry) {
    const LoggedZones logged = TRY(LoggedZones::read(reader_, entry));
    const uint64_t length = TRY(backend_.length());
    const auto report = [&](const ZoneVisitor& visit) -> Result<uint64_t> {
        if (trial_ == nullptr) {
            return backend_.zone_report(0, backend_.limits().nr_zones, visit);
        }
        for (uint64_t zone = 0; zone < trial_->zone_count(); zone++) {
            visit(trial_->describe(zone));
        }
        return trial_->zone_count();
    };
    return logged.check(backend_.limits(), length, report);
}

Status LogReplay::try_entry(const LogEntry& entry) {
    if (entry.kind == LogKind::length) {
        tried_length_ = entry.length;
    }
    if (trial_ == nullptr) {
        return {};
    }
    if (const std::optional<ZoneOp> op = zone_op_of(entry.kind)) {
        return trial_->manage(*op, entry.offset, entry.length);
    }
    if (entry.kind == LogKind::state) {
        return trial_->set_state(entry.offset, entry.length, entry.state);
    }
    return entry.has_data() ? trial_->write(entry.offset, entry.length) : Status();
}

Status LogReplay::apply_part(const LogEntry& entry, uint64_t begin, uint64_t bytes) {
    TRY(check_range(entry));
    WriteFlags flags;
    // Forced writes are flushed once, at the end.
    flags.more = true;
    return reader_.visit_data(entry, begin, bytes, [&](uint64_t at, std::span<uint8_t> data) {
        return backend_.execute(Request::write(entry.offset + at, IoVec(data.data(), data.size()), flags));
    });
}

Status LogReplay::apply(const LogEntry& entry) {
    if (entry.kind == LogKind::device) {
        return check_device(entry);
    }
    TRY(check_range(entry));
    if (only_tries_) {
        return try_entry(entry);
    }
    if (const std::optional<ZoneOp> op = zone_op_of(entry.kind)) {
        return backend_.execute(Request::zone_manage(*op, entry.offset, entry.length));
    }
    switch (entry.kind) {
    case LogKind::write:
    case LogKind::append: return apply_part(entry, 0, entry.length);
    case LogKind::length: return backend_.execute(Request::truncate(entry.length, PreallocMode::off));
    case LogKind::discard: return backend_.execute(Request::discard(entry.offset, entry.length));
    case LogKind::state: return backend_.execute(Request::set_zone_state(entry.offset, entry.length, entry.state));
    default: return {};
    }
}

} // namespace zoneio
