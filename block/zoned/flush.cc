// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/flush.h"

#include "block/base/buffer.h"

#include <algorithm>

namespace zoneio {

namespace {

/// True if a zone stops being open or active when its word changes from `from` to `to`.
bool releases(const ZoneWord& from, const ZoneWord& to) {
    return (from.is_open() && !to.is_open()) || (from.is_active() && !to.is_active());
}

} // namespace

Status ZonedFlush::sync() {
    // The node below does not see stores into mapped memory.
    node_.note_native_write();
    Status status = node_.flush();
    if (!status.ok()) {
        file_.set_failed_sync(true);
    }
    return status;
}

/// Starts the session. Makes the results of earlier sessions durable first, because it is unknown which of their words
/// are on the medium. Untrusted words are replaced only when no other host can trust them any more.
Status ZonedFlush::begin() {
    const bool is_safe = file_.was_flushed() && !file_.has_failed_sync();
    TRY(file_.claim());
    if (file_.has_failed_sync()) {
        TRY(write_once_more());
    }
    if (!is_safe) {
        TRY(sync());
    }
    TRY(file_.begin_session());
    file_.set_failed_sync(false);
    has_begun_ = true;
    is_dirty_ = !file_.table().unflushed().empty();
    return {};
}

/// Writes everything again after a failed sync. The kernel marks a page as clean even if writing it failed, so later
/// syncs skip it.
Status ZonedFlush::write_once_more() {
    for (const uint32_t zone : file_.table().unflushed()) {
        TRY(write_zone_once_more(zone));
    }
    return file_.rewrite_table();
}

Status ZonedFlush::write_zone_once_more(uint64_t zone) {
    constexpr uint64_t step = 1U << 20;
    AlignedBuffer buffer;
    TRY(buffer.allocate(step));
    const uint64_t start = file_.data_offset() + file_.geometry().zone_start(zone);
    const uint64_t end = file_.table().current(zone).pointer;
    for (uint64_t done = 0; done < end; done += step) {
        const IoVec part(buffer.data(), std::min(step, end - done));
        // Unreadable data is lost anyway and must not prevent saving the rest.
        if (!node_.preadv(start + done, part).ok()) {
            continue;
        }
        TRY(all_bytes_equal(buffer.data(), part.bytes(), 0)
                ? node_.pwrite_zeroes(start + done, part.bytes(), {false, true, false})
                : node_.pwritev(start + done, part, {}));
    }
    return {};
}

/// True if limits could be exceeded on the medium when only some of the new words reach it.
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

/// Copies the current words of changed zones to the flushed ones. `only_releases`: only for zones that stop being open
/// or active.
Status ZonedFlush::store_flushed(bool only_releases) {
    ZoneTable& table = file_.table();
    for (const uint32_t zone : table.unflushed()) {
        if (only_releases && !releases(table.flushed(zone), table.current(zone))) {
            continue;
        }
        TRY(table.store_flushed(zone));
    }
    return {};
}

/// Second half of a flush: the data is on the medium, now the words that refer to it are saved.
Status ZonedFlush::save_words() {
    is_uncertain_ = true;
    if (limits_could_be_exceeded()) {
        TRY(store_flushed(true));
        TRY(sync());
    }
    TRY(store_flushed(false));
    return sync();
}

Status ZonedFlush::flush() {
    TRY(file_.check_table());
    TRY(has_begun_ ? sync() : begin());
    ZoneTable& table = file_.table();
    std::vector<uint32_t> emptied;
    for (const uint32_t zone : table.unflushed()) {
        if (table.current(zone).pointer == 0 && table.flushed(zone).pointer > 0) {
            emptied.push_back(zone);
        }
    }
    if (!table.unflushed().empty() || is_uncertain_) {
        TRY(save_words());
    }
    is_uncertain_ = false;
    is_dirty_ = false;
    table.clear_unflushed();
    give_back_space(emptied);
    return {};
}

Status ZonedFlush::before_change() {
    Status status = has_begun_ ? Status() : begin();
    is_dirty_ = is_dirty_ || status.ok();
    return status;
}

Status ZonedFlush::before_write(uint64_t zone, uint64_t pointer) {
    if (!is_uncertain_ && pointer >= file_.table().flushed(zone).pointer) {
        return {};
    }
    Status status = flush();
    is_dirty_ = true;
    return status;
}

void ZonedFlush::after_reset(uint64_t zone) {
    if (!is_uncertain_ && file_.table().flushed(zone).pointer == 0) {
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
        // A refused discard is harmless: the space stays in use, and its content is invisible.
        (void)node_.pdiscard(file_.data_offset() + begin, bytes);
        i = end;
    }
}

void ZonedFlush::end(bool ever_synced) {
    const bool has_found = !ever_synced && !file_.table().unflushed().empty();
    if (!has_begun_ && (!has_found || !begin().ok())) {
        return;
    }
    if (!ever_synced) {
        (void)store_flushed(false);
    } else if (!is_dirty_ && !is_uncertain_) {
        file_.end_session();
    }
    has_begun_ = false;
}

void ZonedFlush::distrust() {
    is_uncertain_ = has_begun_;
    is_dirty_ = has_begun_;
}

} // namespace zoneio
