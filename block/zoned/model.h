// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"
#include "block/zoned/table.h"

#include <cstdint>
#include <optional>
#include <set>

namespace zoneio {

/// One zone's step from a state to the next, allowed but not yet made.
struct ZoneChange {
    static constexpr uint64_t no_zone = UINT64_MAX;

    uint64_t zone = 0;
    ZoneWord before;
    ZoneWord after;
    uint64_t victim = no_zone; ///< an implicitly open zone that is closed to make room

    bool changes_anything() const { return before != after; }
};

/// The rules of a zoned device: what each zone allows in which state, and what that does to it.
///
/// The rules are those of Linux's null_blk. The begin_ methods answer without changing anything; what they
/// answer holds until the next commit(). No I/O. Used under the driver's lock.
class ZoneModel {
public:
    /// The table's words are valid; `cursor` is where the search for a zone to close goes on.
    ZoneModel(const ZoneGeometry& geometry, ZoneTable& table, uint64_t cursor = 0);

    /// Counts open and active zones. EINVAL with the reason when a word is invalid or a limit exceeded.
    Status load();

    uint64_t open_zones() const { return implicit_open_ + explicit_open_; }
    uint64_t active_zones() const { return open_zones() + closed_; }
    uint64_t cursor() const { return cursor_; }

    /// The zone as a report shows it.
    ZoneDescriptor describe(uint64_t zone) const;

    /// A write of `bytes` > 0 at `pointer` bytes from the start of a sequential zone, not beyond its end.
    ///
    /// EIO: not at the write pointer, beyond the capacity, or a zone that takes no writes; EOVERFLOW: too many
    /// active zones; ETOOMANYREFS: too many open ones.
    Result<ZoneChange> begin_write(uint64_t zone, uint64_t pointer, uint64_t bytes) const;
    /// The same at the write pointer, which is `before.pointer` of the answer. With 0 bytes nothing changes.
    Result<ZoneChange> begin_append(uint64_t zone, uint64_t bytes) const;
    /// One operation on one zone; EIO where its state does not allow it, else the errors of opening a zone.
    Result<ZoneChange> begin(ZoneOp op, uint64_t zone) const;
    /// Puts a zone out of use (read_only, offline), or takes it back empty (empty); EINVAL otherwise.
    Result<ZoneChange> begin_condition(uint64_t zone, ZoneState state) const;

    /// Does `op` on every zone of a range, calling perform(change) -> Status for each change that is to be made;
    /// perform commits it. Every zone is tried; the last error is returned. A reset of all zones passes over those
    /// that cannot be reset.
    template <typename Perform>
    Status manage(ZoneOp op, uint64_t first, uint64_t count, Perform&& perform);

    /// Makes the change. Where its words cannot be stored, the zone is as before; the victim may be closed already.
    Status commit(const ZoneChange& change);

private:
    Status count_zones();
    /// 0 or the errno of opening a zone; sets the zone to close for it, if any.
    int acquire(const ZoneWord& word, uint64_t& victim) const;
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
    /// The implicitly open zones; collected when one is to be closed for the first time.
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
