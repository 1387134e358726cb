// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/trial.h"

#include "block/node/zone_bounds.h"

#include <algorithm>

namespace zoneio {

namespace {

/// A limit not below the number of zones is none.
uint64_t reachable(uint64_t limit, uint64_t zones) {
    return limit < zones ? limit : 0;
}

ZoneWord word_of(const ZoneDescriptor& zone) {
    switch (zone.state) {
    case ZoneState::full:
        return {zone.state, zone.write_pointer == no_write_pointer ? zone.length : zone.write_pointer - zone.start};
    case ZoneState::read_only:
    case ZoneState::offline: return {zone.state, 0};
    default: return {zone.state, zone.write_pointer - zone.start};
    }
}

Status refused() {
    return Status::from_errno(EIO, Cause::zone_rule);
}

} // namespace

Result<std::unique_ptr<ZoneTrial>> ZoneTrial::create(const Limits& limits, uint64_t length, const ZoneControl& control,
                                                     const Report& report) {
    std::unique_ptr<ZoneTrial> trial(new ZoneTrial(limits, control));
    trial->geometry_.size = length;
    trial->geometry_.zone_size = limits.zone_size;
    TRY(trial->read(report));
    return trial;
}

Status ZoneTrial::read(const Report& report) {
    const uint64_t zones = zone_count();
    entries_ = empty_entries(zones);
    if (entries_ == nullptr) {
        return Status::from_errno(ENOMEM);
    }
    table_.emplace(std::span(entries_.get(), zones));
    conventional_.assign(zones, false);
    const uint64_t seen = TRY(report([&](const ZoneDescriptor& zone) { take(zone); }));
    if (seen != zones) {
        return Status::from_errno(EIO);
    }
    adopt_capacity();
    const auto sequential = zones - static_cast<uint64_t>(std::count(conventional_.begin(), conventional_.end(), true));
    geometry_.max_active_zones = reachable(limits_.max_active_zones, sequential);
    const uint64_t most_open = geometry_.max_active_zones != 0 ? std::min<uint64_t>(limits_.max_open_zones, geometry_.max_active_zones)
                                                                : limits_.max_open_zones;
    geometry_.max_open_zones = reachable(most_open, sequential);
    model_.emplace(geometry_, *table_, control_.cursor);
    return model_->load();
}

void ZoneTrial::take(const ZoneDescriptor& zone) {
    const uint64_t number = zone.start / geometry_.zone_size;
    if (number >= zone_count()) {
        return;
    }
    if (zone.type == ZoneType::conventional) {
        conventional_[number] = true;
        if (zone.state != ZoneState::not_write_pointer) {
            conventional_states_[number] = zone.state;
        }
        return;
    }
    usual_capacity_ = usual_capacity_ == 0 ? zone.capacity : usual_capacity_;
    geometry_.zone_capacity = std::max(geometry_.zone_capacity, zone.capacity);
    if (zone.capacity != std::min(usual_capacity_, zone.length)) {
        other_capacities_[number] = zone.capacity;
    }
    if (const ZoneWord word = word_of(zone); word != ZoneWord{}) {
        (void)table_->store(number, word); // cannot fail: the table is in ordinary memory
    }
}

/// Sets the model's zone capacity, which all zones share, to the largest one. A full zone with a smaller capacity ends
/// at its length.
void ZoneTrial::adopt_capacity() {
    for (uint64_t zone = 0; zone < zone_count() && geometry_.zone_capacity != usual_capacity_; zone++) {
        if (table_->current(zone).state == ZoneState::full) {
            (void)table_->store(zone, {ZoneState::full, geometry_.zone_length(zone)}); // cannot fail
        }
    }
    geometry_.zone_capacity = geometry_.zone_capacity == 0 ? geometry_.zone_size : geometry_.zone_capacity;
}

uint64_t ZoneTrial::capacity_of(uint64_t zone) const {
    const auto found = other_capacities_.find(zone);
    return found != other_capacities_.end() ? found->second : std::min(usual_capacity_, geometry_.zone_length(zone));
}

ZoneDescriptor ZoneTrial::describe(uint64_t zone) const {
    ZoneDescriptor shown = model_->describe(zone);
    if (!conventional_[zone]) {
        shown.capacity = capacity_of(zone);
        return shown;
    }
    const auto state = conventional_states_.find(zone);
    shown.capacity = shown.length;
    shown.write_pointer = shown.start + shown.length;
    shown.type = ZoneType::conventional;
    shown.state = state != conventional_states_.end() ? state->second : ZoneState::not_write_pointer;
    return shown;
}

Status ZoneTrial::make(const Result<ZoneChange>& change) {
    return change.ok() ? model_->commit(*change) : change.status();
}

Status ZoneTrial::write_zone(uint64_t zone, uint64_t pointer, uint64_t bytes) {
    if (conventional_[zone]) {
        return conventional_states_.contains(zone) ? refused() : Status();
    }
    const uint64_t capacity = capacity_of(zone);
    if (pointer > capacity || bytes > capacity - pointer) {
        return refused();
    }
    Result<ZoneChange> change = model_->begin_write(zone, pointer, bytes);
    // The capacity of this zone is smaller than the model's.
    if (change.ok() && change->after.pointer == capacity && change->after.state != ZoneState::full) {
        change->after = {ZoneState::full, geometry_.zone_length(zone)};
    }
    return make(change);
}

Status ZoneTrial::write(uint64_t offset, uint64_t bytes) {
    if (offset > length() || bytes > length() - offset) {
        return Status::from_errno(EIO, Cause::outside_image);
    }
    if (!control_.writable) {
        return Status::from_errno(EBADF);
    }
    Status last;
    // A node pads a request to whole blocks.
    const uint64_t block = std::max<uint64_t>(limits_.request_alignment, 1);
    const uint64_t end = std::min((offset + bytes + block - 1) / block * block, length());
    for (uint64_t position = offset / block * block; bytes > 0 && position < end;) {
        const uint64_t zone = position / geometry_.zone_size;
        const uint64_t start = geometry_.zone_start(zone);
        const uint64_t part = std::min(end, start + geometry_.zone_length(zone)) - position;
        Status status = write_zone(zone, position - start, part);
        if (!status.ok()) {
            last = std::move(status);
        }
        position += part;
    }
    return last;
}

Status ZoneTrial::append(uint64_t offset, uint64_t bytes) {
    TRY(check_zone_append(limits_, length(), offset, {&bytes, 1}));
    const uint64_t zone = offset / geometry_.zone_size;
    if (conventional_[zone]) {
        return Status::from_errno(EINVAL);
    }
    if (limits_.max_append_bytes != 0 && bytes > limits_.max_append_bytes) {
        return Status::from_errno(EINVAL, Cause::append_too_long);
    }
    if (!control_.writable) {
        return Status::from_errno(EBADF);
    }
    const ZoneWord word = table_->current(zone);
    if (bytes == 0) {
        return word.state == ZoneState::read_only || word.state == ZoneState::offline ? refused() : Status();
    }
    return write_zone(zone, word.pointer, bytes);
}

Status ZoneTrial::change_zones(uint64_t offset, uint64_t bytes, const std::function<Status(uint64_t zone)>& change) {
    if (offset > length() || bytes > length() - offset) {
        return Status::from_errno(EIO, Cause::outside_image);
    }
    TRY(check_zone_range(limits_, length(), offset, bytes));
    if (!control_.writable) {
        return Status::from_errno(EBADF);
    }
    Status status;
    const uint64_t first = offset / geometry_.zone_size;
    const uint64_t end = (offset + bytes + geometry_.zone_size - 1) / geometry_.zone_size;
    for (uint64_t zone = first; zone < end; zone++) {
        Status refusal = change(zone);
        if (!refusal.ok()) {
            status = std::move(refusal);
        }
    }
    return status;
}

Status ZoneTrial::manage(ZoneOp op, uint64_t offset, uint64_t bytes) {
    const bool all = offset == 0 && bytes == length();
    if (bytes == 0) {
        return Status::from_errno(EINVAL);
    }
    // A range that starts with a conventional zone is refused as a whole.
    const uint64_t first = offset / geometry_.zone_size;
    if (!all && first < zone_count() && conventional_[first]) {
        return refused();
    }
    return change_zones(offset, bytes, [&](uint64_t zone) {
        Status status = conventional_[zone] ? refused() : make(model_->begin(op, zone));
        return all && op == ZoneOp::reset ? Status() : std::move(status);
    });
}

Status ZoneTrial::set_state(uint64_t offset, uint64_t bytes, ZoneState state) {
    if (!control_.sets_states) {
        return Status::from_errno(ENOTSUP);
    }
    return change_zones(offset, bytes, [&](uint64_t zone) {
        return conventional_[zone] ? Status::from_errno(EINVAL) : make(model_->begin_state(zone, state));
    });
}

} // namespace zoneio
