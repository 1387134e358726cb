// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"
#include "block/zoned/table.h"

#include <cstdint>
#include <optional>
#include <set>

namespace zoneio {

/// A change of one zone that the rules allow and that has not been made yet.
struct ZoneChange {
    static constexpr uint64_t no_zone = UINT64_MAX;

    uint64_t zone = 0;
    ZoneWord before;
    ZoneWord after;
    uint64_t victim = no_zone; ///< implicitly open zone that is closed to make room, round robin

    bool changes_anything() const { return before != after; }
};

/// The rules of a zoned device: which operations a zone allows in each state, and which state follows.
///
/// The rules are those of Linux's null_blk. The begin_ methods change nothing; their result is valid until the next
/// commit(). No I/O. REQUIRES: the driver's lock.
class ZoneModel {
public:
    /// REQUIRES: valid words in the table. `cursor`: zone at which the search for a zone to close continues.
    ZoneModel(const ZoneGeometry& geometry, ZoneTable& table, uint64_t cursor = 0);

    /// Counts open and active zones. EINVAL, with the reason, if a word is invalid or a limit exceeded.
    Status load();

    uint64_t open_zones() const { return implicit_open_ + explicit_open_; }
    uint64_t active_zones() const { return open_zones() + closed_; }
    uint64_t cursor() const { return cursor_; }

    /// The zone as a report shows it.
    ZoneDescriptor describe(uint64_t zone) const;

    /// A write of `bytes` > 0, `pointer` bytes after the start of a sequential zone and within it.
    ///
    /// EIO: not at the write pointer, more than the capacity, or a zone that takes no writes. EOVERFLOW: active-zone limit
    /// reached. ETOOMANYREFS: open-zone limit reached.
    Result<ZoneChange> begin_write(uint64_t zone, uint64_t pointer, uint64_t bytes) const;
    /// Likewise at the write pointer, which is `before.pointer` of the result. With 0 bytes nothing changes.
    Result<ZoneChange> begin_append(uint64_t zone, uint64_t bytes) const;
    /// One operation on one zone. EIO if its state does not allow the operation; otherwise the errors of opening a zone.
    Result<ZoneChange> begin(ZoneOp op, uint64_t zone) const;
    /// Sets the state of a zone to read_only, offline or empty. EINVAL for other states.
    Result<ZoneChange> begin_state(uint64_t zone, ZoneState state) const;

    /// Runs `op` on every zone of a range. Calls perform(change) -> Status for each change; perform commits it. Tries every
    /// zone and returns the last error. A reset of all zones skips zones that cannot be reset.
    template <typename Perform>
    Status manage(ZoneOp op, uint64_t first, uint64_t count, Perform&& perform);

    /// Makes the change. If its word cannot be stored, the zone is as before; the victim may already be closed.
    Status commit(const ZoneChange& change);

private:
    Status count_zones();
    /// Returns 0 or the errno of opening a zone. Sets `victim` if another zone must be closed for it.
    int acquire(const ZoneWord& word, uint64_t& victim) const;
    /// The first implicitly open zone from the cursor on, in a circle.
    std::optional<uint64_t> next_victim() const;
    Status apply(uint64_t zone, const ZoneWord& after);
    uint64_t* counter_of(ZoneState state);

    const ZoneGeometry& geometry_;
    ZoneTable& table_;
    uint64_t max_open_;
    uint64_t max_active_;
    uint64_t cursor_;
    uint64_t implicit_open_ = 0;
    uint64_t explicit_open_ = 0;
    uint64_t closed_ = 0;
    /// The implicitly open zones; collected when one must be closed for the first time.
    mutable std::optional<std::set<uint64_t>> implicit_zones_;
};

template <typename Perform>
Status ZoneModel::manage(ZoneOp op, uint64_t first, uint64_t count, Perform&& perform) {
    const bool reset_all = op == ZoneOp::reset && first == 0 && count == table_.size();
    Status last;
    for (uint64_t zone = first; zone < first + count; zone++) {
        const Result<ZoneChange> change = begin(op, zone);
        if (!change.ok()) {
            if (!reset_all) {
                last = change.status();
            }
            continue;
        }
        if (!change->changes_anything()) {
            continue;
        }
        Status status = perform(*change);
        if (!status.ok()) {
            last = std::move(status);
        }
    }
    return last;
}

} // namespace zoneio
