// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/model.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

Status refused(int error) {
    const Cause cause = error == EOVERFLOW     ? Cause::active_limit
                        : error == ETOOMANYREFS ? Cause::open_limit
                                                : Cause::zone_rule;
    return Status::from_errno(error, cause);
}

} // namespace

ZoneModel::ZoneModel(const ZoneGeometry& geometry, ZoneTable& table, uint64_t cursor)
    : geometry_(geometry), table_(table), max_open_(geometry.effective_max_open()),
      max_active_(geometry.effective_max_active()), cursor_(cursor) {}

uint64_t* ZoneModel::counter_of(ZoneState state) {
    switch (state) {
    case ZoneState::implicit_open: return &implicit_open_;
    case ZoneState::explicit_open: return &explicit_open_;
    case ZoneState::closed: return &closed_;
    default: return nullptr;
    }
}

Status ZoneModel::load() {
    implicit_open_ = explicit_open_ = closed_ = 0;
    implicit_zones_.reset();
    TRY(count_zones());
    if (max_open_ != 0 && open_zones() > max_open_) {
        return Status::invalid(fmt::format("{} zones are open; the limit is {}", open_zones(), max_open_));
    }
    if (max_active_ != 0 && active_zones() > max_active_) {
        return Status::invalid(fmt::format("{} zones are active; the limit is {}", active_zones(), max_active_));
    }
    return {};
}

Status ZoneModel::count_zones() {
    for (uint64_t zone = 0; zone < table_.size(); zone++) {
        const uint64_t bits = table_.current_bits(zone);
        if (bits == 0) {
            continue;
        }
        if (!is_valid_word(geometry_, zone, bits)) {
            return Status::invalid(problem_of(geometry_, zone, bits));
        }
        if (uint64_t* const counter = counter_of(ZoneWord::decode(bits).state)) {
            ++*counter;
        }
    }
    return {};
}

ZoneDescriptor ZoneModel::describe(uint64_t zone) const {
    ZoneDescriptor shown;
    shown.start = geometry_.zone_start(zone);
    shown.length = geometry_.zone_length(zone);
    if (geometry_.is_conventional(zone)) {
        shown.capacity = shown.length;
        shown.write_pointer = shown.start + shown.length;
        shown.type = ZoneType::conventional;
        shown.state = ZoneState::not_write_pointer;
        return shown;
    }
    const ZoneWord word = table_.current(zone);
    const bool has_pointer = word.state != ZoneState::read_only && word.state != ZoneState::offline;
    shown.capacity = geometry_.capacity_of(zone);
    shown.write_pointer = has_pointer ? shown.start + word.pointer : no_write_pointer;
    shown.state = word.state;
    return shown;
}

std::optional<uint64_t> ZoneModel::next_victim() const {
    if (!implicit_zones_) {
        implicit_zones_.emplace();
        for (uint64_t zone = 0; zone < table_.size(); zone++) {
            if (table_.current(zone).state == ZoneState::implicit_open) {
                implicit_zones_->insert(implicit_zones_->end(), zone);
            }
        }
    }
    if (implicit_zones_->empty()) {
        return std::nullopt;
    }
    const auto next = implicit_zones_->lower_bound(cursor_);
    return next != implicit_zones_->end() ? *next : *implicit_zones_->begin();
}

int ZoneModel::acquire(const ZoneWord& word, uint64_t& victim) const {
    if (word.is_open()) {
        return 0;
    }
    const bool room_to_activate = max_active_ == 0 || active_zones() < max_active_;
    if (word.state == ZoneState::empty && !room_to_activate) {
        return EOVERFLOW;
    }
    if (max_open_ == 0 || open_zones() < max_open_) {
        return 0;
    }
    // null_blk's rule: if all active zones are in use, no zone is closed, not even for a zone that is active already.
    if (implicit_open_ == 0 || !room_to_activate) {
        return ETOOMANYREFS;
    }
    const std::optional<uint64_t> next = next_victim();
    if (!next) {
        // The table was overwritten by another program: no zone is implicitly open although some are counted.
        return EIO;
    }
    victim = *next;
    return 0;
}

Result<ZoneChange> ZoneModel::begin_write(uint64_t zone, uint64_t pointer, uint64_t bytes) const {
    ZoneChange change{zone, table_.current(zone), {}, ZoneChange::no_zone};
    const uint64_t capacity = geometry_.capacity_of(zone);
    const bool takes_writes = change.before.is_active() || change.before.state == ZoneState::empty;
    if (!takes_writes || pointer != change.before.pointer || bytes > capacity - pointer) {
        return refused(EIO);
    }
    if (const int error = acquire(change.before, change.victim); error != 0) {
        return refused(error);
    }
    change.after.pointer = pointer + bytes;
    if (change.after.pointer == capacity) {
        change.after.state = ZoneState::full;
    } else {
        const bool stays_explicit = change.before.state == ZoneState::explicit_open;
        change.after.state = stays_explicit ? ZoneState::explicit_open : ZoneState::implicit_open;
    }
    return change;
}

Result<ZoneChange> ZoneModel::begin_append(uint64_t zone, uint64_t bytes) const {
    const ZoneWord word = table_.current(zone);
    if (bytes == 0) {
        return ZoneChange{zone, word, word, ZoneChange::no_zone};
    }
    return begin_write(zone, word.pointer, bytes);
}

Result<ZoneChange> ZoneModel::begin(ZoneOp op, uint64_t zone) const {
    ZoneChange change{zone, table_.current(zone), {}, ZoneChange::no_zone};
    const ZoneWord& before = change.before;
    const bool usable = !geometry_.is_conventional(zone) && before.state != ZoneState::read_only &&
                        before.state != ZoneState::offline;
    if (!usable) {
        return refused(EIO);
    }
    change.after = before;
    int error = 0;
    switch (op) {
    case ZoneOp::open:
        error = before.state == ZoneState::full ? EIO : acquire(before, change.victim);
        change.after.state = ZoneState::explicit_open;
        break;
    case ZoneOp::close:
        error = before.is_active() ? 0 : EIO;
        change.after.state = before.pointer == 0 ? ZoneState::empty : ZoneState::closed;
        break;
    case ZoneOp::finish:
        if (before.state == ZoneState::full) {
            break;
        }
        error = acquire(before, change.victim);
        change.after = {ZoneState::full, geometry_.zone_length(zone)};
        break;
    case ZoneOp::reset: change.after = {ZoneState::empty, 0}; break;
    }
    if (error != 0) {
        return refused(error);
    }
    return change;
}

Result<ZoneChange> ZoneModel::begin_state(uint64_t zone, ZoneState state) const {
    if (geometry_.is_conventional(zone)) {
        return Status::invalid(fmt::format("zone {} is conventional: it has no state to set", zone));
    }
    ZoneChange change{zone, table_.current(zone), {}, ZoneChange::no_zone};
    switch (state) {
    case ZoneState::empty: change.after = {}; break;
    // As in null_blk, bytes that were not written read as zeros from now on.
    case ZoneState::read_only: change.after = {state, geometry_.zone_length(zone)}; break;
    case ZoneState::offline: change.after = {state, change.before.pointer}; break;
    default: return refused(EINVAL);
    }
    return change;
}

Status ZoneModel::apply(uint64_t zone, const ZoneWord& after) {
    const ZoneWord before = table_.current(zone);
    TRY(table_.store(zone, after));
    if (uint64_t* const counter = counter_of(before.state)) {
        --*counter;
    }
    if (uint64_t* const counter = counter_of(after.state)) {
        ++*counter;
    }
    if (implicit_zones_ && before.state != after.state) {
        if (before.state == ZoneState::implicit_open) {
            implicit_zones_->erase(zone);
        }
        if (after.state == ZoneState::implicit_open) {
            implicit_zones_->insert(zone);
        }
    }
    return {};
}

Status ZoneModel::commit(const ZoneChange& change) {
    // The victim is closed first, so that no limit is exceeded at any time.
    if (change.victim != ZoneChange::no_zone) {
        TRY(apply(change.victim, {ZoneState::closed, table_.current(change.victim).pointer}));
        cursor_ = change.victim + 1 < table_.size() ? change.victim + 1 : 0;
    }
    return change.changes_anything() ? apply(change.zone, change.after) : Status();
}

} // namespace zoneio
