// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/overlay/zoned_overlay.h"

#include "block/chain/open.h"
#include "block/node/filter.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

Status cannot_describe(std::string text) {
    return Status::error(ENOTSUP, "cannot make a snapshot of this zoned device: " + std::move(text));
}

/// The word for a reported zone. If the model has no such zone, the nearest one that it has.
ZoneWord nearest_word(const ZoneDescriptor& zone) {
    const bool has_pointer = zone.write_pointer != no_write_pointer && zone.write_pointer >= zone.start;
    const uint64_t pointer = has_pointer ? std::min(zone.write_pointer - zone.start, zone.length) : zone.length;
    switch (zone.state) {
    case ZoneState::read_only: return {ZoneState::read_only, zone.length};
    case ZoneState::offline: return {ZoneState::offline, 0};
    case ZoneState::full: return {ZoneState::full, pointer == zone.capacity ? pointer : zone.length};
    case ZoneState::implicit_open:
    case ZoneState::explicit_open:
    case ZoneState::closed:
        if (pointer >= zone.capacity) {
            return {ZoneState::full, zone.capacity};
        }
        return pointer == 0 && zone.state != ZoneState::explicit_open ? ZoneWord{} : ZoneWord{zone.state, pointer};
    default: return {};
    }
}

} // namespace

/// Limits reads of the device to what was written when it was opened. Some devices fail reads of the rest, which is
/// needed only to fill clusters and is never visible.
class ZonedOverlay::WrittenPart final : public FilterDriver {
public:
    WrittenPart(std::unique_ptr<BlockNode> device, const ZoneGeometry& geometry, const ZoneTable& table)
        : geometry_(geometry), table_(table) {
        adopt(std::move(device));
        limits_.request_alignment = geometry.block_size;
    }

    Status preadv(uint64_t offset, const IoVec& iov) override {
        for (uint64_t done = 0; done < iov.bytes();) {
            const uint64_t position = offset + done;
            const uint64_t zone = position / geometry_.zone_size;
            const uint64_t from = position - geometry_.zone_start(zone);
            const uint64_t part = std::min(iov.bytes() - done, geometry_.zone_length(zone) - from);
            const uint64_t end = geometry_.is_conventional(zone) ? geometry_.zone_length(zone) : table_.flushed(zone).pointer;
            const uint64_t written = std::min(part, end > from ? end - from : 0);
            iov.fill(done + written, part - written, 0);
            if (written > 0) {
                TRY(child_->preadv(position, iov.slice(done, written)));
            }
            done += part;
        }
        return {};
    }

private:
    const ZoneGeometry& geometry_;
    const ZoneTable& table_;
};

Result<std::unique_ptr<ZonedOverlay>> ZonedOverlay::create(std::unique_ptr<BlockNode> base, const NodeFlags& flags,
                                                           const DriverInfo& overlay_info) {
    TRY(base->set_permissions({.taken = Permissions::consistent_read}));
    auto driver = std::make_unique<ZonedOverlay>();
    driver->extras_.vm_state = driver.get();
    driver->take_geometry(base->limits(), TRY(base->length()));
    TRY(driver->read_zones(*base));
    const std::string filename = base->filename();
    NodeFlags inner = flags;
    inner.copy_on_read = false;
    auto written = std::make_unique<WrittenPart>(std::move(base), driver->geometry_, *driver->table_);
    auto below = std::make_unique<BlockNode>(overlay_info, std::move(written), inner, generated_node_name(), filename);
    std::unique_ptr<SnapshotOverlay> overlay = TRY(SnapshotOverlay::create(std::move(below), flags.read_only));
    driver->overlay_ = overlay.get();
    driver->node_ = std::make_unique<BlockNode>(overlay_info, std::move(overlay), inner, generated_node_name(),
                                                driver->overlay_->filename());
    driver->storage_ = driver->node_.get();
    driver->read_only_ = flags.read_only;
    driver->announce_limits();
    return driver;
}

void ZonedOverlay::take_geometry(const Limits& limits, uint64_t length) {
    geometry_.size = length;
    geometry_.zone_size = limits.zone_size;
    geometry_.zone_capacity = limits.zone_size;
    geometry_.max_open_zones = limits.max_open_zones;
    geometry_.max_active_zones = limits.max_active_zones;
    geometry_.block_size = limits.write_granularity != 0 ? limits.write_granularity : geometry_.block_size;
    geometry_.max_append_bytes = limits.max_append_bytes / geometry_.block_size * geometry_.block_size;
}

Status ZonedOverlay::read_zones(BlockNode& base) {
    entries_ = empty_entries(geometry_.zone_count());
    if (entries_ == nullptr) {
        return Status::from_errno(ENOMEM);
    }
    table_.emplace(std::span(entries_.get(), geometry_.zone_count()));
    Status problem;
    bool seen_sequential = false;
    const auto note = [&](const ZoneDescriptor& zone) {
        if (!problem.ok()) {
            return;
        }
        if (zone.type == ZoneType::conventional) {
            problem = seen_sequential ? cannot_describe("it has conventional zones after sequential ones") : Status();
            geometry_.conventional_zones++;
            return;
        }
        if (!seen_sequential) {
            geometry_.zone_capacity = zone.capacity;
        }
        seen_sequential = true;
        problem = read_zone(zone);
    };
    const uint64_t count = TRY(base.zone_report(0, geometry_.zone_count(), note));
    TRY(problem);
    if (count != geometry_.zone_count()) {
        return cannot_describe(fmt::format("it reports {} of {} zones", count, geometry_.zone_count()));
    }
    TRY(geometry_.check());
    table_->clear_unflushed();
    model_ = std::make_unique<ZoneModel>(geometry_, *table_);
    Status status = model_->load();
    return status.ok() ? Status() : cannot_describe(status.message());
}

Status ZonedOverlay::read_zone(const ZoneDescriptor& zone) {
    const uint64_t number = zone.start / geometry_.zone_size;
    if (number >= geometry_.zone_count() || zone.start != geometry_.zone_start(number) ||
        zone.length != geometry_.zone_length(number) || zone.capacity != geometry_.capacity_of(number)) {
        return cannot_describe(fmt::format("its zones differ (the one at {} has a length of {} and a capacity of {})",
                                           zone.start, zone.length, zone.capacity));
    }
    const ZoneWord word = nearest_word(zone);
    if (word == ZoneWord{}) {
        return {};
    }
    TRY(table_->store(number, word));
    return table_->store_flushed(number);
}

void ZonedOverlay::after_reset(uint64_t zone) {
    // Space that is not freed now is overwritten later; the write pointer hides its content.
    (void)overlay_->forget(geometry_.zone_start(zone), geometry_.zone_length(zone));
}

/// Temporary data need not be durable; only the list of changed zones is cleared.
Status ZonedOverlay::flush_zones() {
    table_->clear_unflushed();
    return {};
}

} // namespace zoneio
