// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/flush.h"

#include <algorithm>

namespace zoneio {

namespace {

/// Does a zone that goes from one word to the other give up a place among the open or the active zones?
bool releases(const ZoneWord& from, const ZoneWord& to) {
    return (from.is_open() && !to.is_open()) || (from.is_active() && !to.is_active());
}

} // namespace

Status ZonedFlush::sync() {
    // The node below does not see what is stored in mapped memory.
    node_.note_native_write();
    return node_.flush();
}

Status ZonedFlush::prepare_words() {
    for (const uint32_t zone : file_.table().unflushed()) {
        Status status = file_.prepare_store(zone);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

/// Some of the new words may reach the medium without the others: could more zones be open or active there than
/// may be?
bool ZonedFlush::limits_could_be_exceeded() const {
    const ZoneGeometry& geometry = file_.geometry();
    const uint64_t max_open = geometry.effective_max_open();
    const uint64_t max_active = geometry.effective_max_active();
    if (max_open == 0 && max_active == 0) {
        return false;
    }
    uint64_t open = model_.open_zones();
    uint64_t active = model_.active_zones();
    for (const uint32_t zone : file_.table().unflushed()) {
        const ZoneWord from = file_.table().flushed(zone);
        const ZoneWord to = file_.table().current(zone);
        open += from.is_open() && !to.is_open() ? 1 : 0;
        active += from.is_active() && !to.is_active() ? 1 : 0;
    }
    return (max_open != 0 && open > max_open) || (max_active != 0 && active > max_active);
}

Status ZonedFlush::store_releases() {
    ZoneTable& table = file_.table();
    for (const uint32_t zone : table.unflushed()) {
        if (releases(table.flushed(zone), table.current(zone))) {
            table.store_flushed(zone);
        }
    }
    return sync();
}

Status ZonedFlush::flush() {
    Status status = sync();
    ZoneTable& table = file_.table();
    if (!status.ok() || (table.unflushed().empty() && !uncertain_)) {
        return status;
    }
    status = prepare_words();
    if (!status.ok()) {
        return status;
    }
    std::vector<uint32_t> emptied;
    for (const uint32_t zone : table.unflushed()) {
        if (table.current(zone).pointer == 0 && table.flushed(zone).pointer > 0) {
            emptied.push_back(zone);
        }
    }
    uncertain_ = true;
    if (limits_could_be_exceeded()) {
        status = store_releases();
        if (!status.ok()) {
            return status;
        }
    }
    for (const uint32_t zone : table.unflushed()) {
        table.store_flushed(zone);
    }
    status = sync();
    if (!status.ok()) {
        return status;
    }
    uncertain_ = false;
    table.clear_unflushed();
    give_back_space(emptied);
    return {};
}

Status ZonedFlush::before_write(uint64_t zone, uint64_t pointer) {
    if (!uncertain_ && pointer >= file_.table().flushed(zone).pointer) {
        return {};
    }
    return flush();
}

void ZonedFlush::after_reset(uint64_t zone) {
    if (!uncertain_ && file_.table().flushed(zone).pointer == 0) {
        give_back_space({static_cast<uint32_t>(zone)});
    }
}

void ZonedFlush::give_back_space(const std::vector<uint32_t>& zones) {
    const ZoneGeometry& geometry = file_.geometry();
    std::vector<uint32_t> sorted = zones;
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size();) {
        size_t end = i + 1;
        while (end < sorted.size() && sorted[end] == sorted[end - 1] + 1) {
            end++;
        }
        const uint64_t begin = geometry.zone_start(sorted[i]);
        const uint64_t last = sorted[end - 1];
        const uint64_t bytes = geometry.zone_start(last) + geometry.zone_length(last) - begin;
        // Advice: where it is not taken the space stays in use, and nobody can see what is in it.
        (void)node_.pdiscard(file_.data_offset() + begin, bytes);
        i = end;
    }
}

void ZonedFlush::adopt_unsynced() {
    ZoneTable& table = file_.table();
    for (const uint32_t zone : table.unflushed()) {
        if (file_.prepare_store(zone).ok()) {
            table.store_flushed(zone);
        }
    }
    table.clear_unflushed();
}

} // namespace zoneio
