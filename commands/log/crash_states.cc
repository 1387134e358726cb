// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/log/crash_states.h"

#include "commands/log/entries.h"
#include "commands/text/zone_words.h"

#include <algorithm>

namespace zoneio {

namespace {

/// The number at `index` in the sequence of a seed.
uint64_t random_number(uint64_t seed, uint64_t index) {
    uint64_t mixed = seed * 0x9e3779b97f4a7c15 + index + 1;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

/// Closes all zones, because a power cut leaves none open.
Status close_zones(BlockBackend& device) {
    std::vector<ZoneDescriptor> open;
    const Result<uint64_t> seen = device.zone_report(0, device.limits().nr_zones, [&](const ZoneDescriptor& zone) {
        if (is_open(zone.state)) {
            open.push_back(zone);
        }
    });
    Status status = seen.status();
    for (const ZoneDescriptor& zone : open) {
        if (status.ok()) {
            status = device.execute(Request::zone_manage(ZoneOp::close, zone.start, zone.length));
        }
    }
    return status;
}

} // namespace

Result<std::vector<uint64_t>> find_cuts(LogReader& reader, CutPlaces places, uint64_t count, uint64_t seed) {
    std::vector<uint64_t> cuts;
    const uint64_t entries = reader.entry_count();
    if (entries == 0) {
        return Status::invalid("the log has no entries");
    }
    if (places == CutPlaces::random) {
        for (uint64_t i = 0; i < count; i++) {
            cuts.push_back(random_number(seed, i) % entries);
        }
        std::sort(cuts.begin(), cuts.end());
        return cuts;
    }
    reader.rewind();
    bool has_changes = false;
    while (places == CutPlaces::flushes) {
        const std::optional<LogEntry> entry = TRY(reader.next());
        if (!entry) {
            break;
        }
        const bool is_flush = entry->kind == LogKind::flush || entry->preflush;
        if (is_flush && has_changes) {
            cuts.push_back(entry->number - 1);
        }
        has_changes = !is_flush || entry->preflush;
    }
    if (cuts.empty() || cuts.back() != entries - 1) {
        cuts.push_back(entries - 1);
    }
    return cuts;
}

Result<std::unique_ptr<CrashStates>> CrashStates::create(BlockBackend& image, const std::string& log_name) {
    std::unique_ptr<CrashStates> states(new CrashStates);
    states->log_ = TRY(open_log(log_name));
    states->log_.reader->read_headers_only();
    states->applying_ = std::make_unique<LogReader>(*states->log_.node);
    Status status = states->applying_->open();
    if (status.ok()) {
        status = states->learn_device(image, states->log_.reader->sector_size());
    }
    if (!status.ok()) {
        return status;
    }
    states->scratch_ = TRY(ScratchImages::create(image));
    return states;
}

Status CrashStates::learn_device(BlockBackend& image, uint32_t sector_size) {
    PowerCut::Device device;
    const Limits& limits = image.limits();
    device.unit = std::max<uint64_t>(sector_size, limits.write_granularity);
    if (limits.zoned == ZonedModel::none) {
        cut_ = std::make_unique<PowerCut>(std::move(device));
        return {};
    }
    device.zone_size = limits.zone_size;
    device.max_active = limits.max_active_zones;
    std::vector<ZoneDescriptor> active;
    const Result<uint64_t> seen = image.zone_report(0, limits.nr_zones, [&](const ZoneDescriptor& zone) {
        capacities_.push_back(zone.type == ZoneType::conventional ? 0 : zone.capacity);
        if (is_active(zone.state)) {
            active.push_back(zone);
        }
    });
    device.capacity = [this](uint64_t zone) { return zone < capacities_.size() ? capacities_[zone] : 0; };
    cut_ = std::make_unique<PowerCut>(std::move(device));
    for (const ZoneDescriptor& zone : active) {
        cut_->add_active_zone(zone.start / limits.zone_size, zone.write_pointer - zone.start);
    }
    return seen.status();
}

Status CrashStates::go_to(uint64_t entry) {
    while (read_ <= entry) {
        const Result<std::optional<LogEntry>> next = log_.reader->next();
        if (!next.ok() || !*next) {
            return next.ok() ? Status::invalid(fmt::format("there is no entry {} in the log", entry)) : next.status();
        }
        cut_->add(**next);
        if ((*next)->kind == LogKind::mark) {
            mark_ = TRY(log_.reader->own_bytes(**next));
        }
        read_++;
    }
    return apply_settled();
}

Status CrashStates::apply_settled() {
    if (applied_ >= cut_->settled()) {
        return {};
    }
    BlockBackend* const base = TRY(scratch_->base());
    LogReplay replay(*applying_, *base);
    while (applied_ < cut_->settled()) {
        const Result<std::optional<LogEntry>> next = applying_->next();
        if (!next.ok() || !*next) {
            return next.status();
        }
        if (Status status = replay.apply(**next); !status.ok()) {
            return does_not_apply(**next, std::move(status));
        }
        // The reader has read the zones together with the device entry.
        applied_ = applying_->number();
    }
    return {};
}

/// Applies an operation on several zones to each of them, and skips zones that refuse it.
Status CrashStates::apply_piece(LogReplay& replay, BlockBackend& target, const LogEntry& entry, const PowerCut::Piece& piece) {
    if (const std::optional<ZoneOp> op = zone_op_of(entry.kind)) {
        Status status = target.execute(Request::zone_manage(*op, entry.offset + piece.begin, piece.bytes));
        return piece.bytes < entry.length ? Status() : std::move(status);
    }
    if (entry.kind == LogKind::state) {
        return target.execute(Request::set_zone_state(entry.offset + piece.begin, piece.bytes, entry.state));
    }
    if (entry.kind == LogKind::length) {
        return replay.apply(entry);
    }
    if (entry.kind == LogKind::discard) {
        return target.execute(Request::discard(entry.offset + piece.begin, piece.bytes));
    }
    return replay.apply_part(entry, piece.begin, piece.bytes);
}

Status CrashStates::make(const PowerCut::StateId& id) {
    const std::vector<PowerCut::Piece> pieces = cut_->state(id);
    std::unique_ptr<BlockBackend> copy = TRY(scratch_->copy());
    LogReader reader(*log_.node);
    reader.go_on_from(*applying_);
    LogReplay replay(reader, *copy);
    std::optional<LogEntry> entry;
    for (const PowerCut::Piece& piece : pieces) {
        while (!entry || entry->number < piece.entry) {
            Result<std::optional<LogEntry>> next = reader.next();
            if (!next.ok() || !*next) {
                return next.status();
            }
            entry = **next;
        }
        if (Status status = apply_piece(replay, *copy, *entry, piece); !status.ok()) {
            return does_not_apply(*entry, std::move(status));
        }
    }
    Status status = copy->limits().zoned != ZonedModel::none ? close_zones(*copy) : Status();
    return status.ok() ? copy->execute(Request::flush()) : std::move(status);
}

} // namespace zoneio
