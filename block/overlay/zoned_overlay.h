// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/overlay/overlay.h"
#include "block/zoned/emulated_zones.h"
#include "block/zoned/table.h"

#include <cstdlib>
#include <memory>
#include <optional>

namespace zoneio {

/// A temporary layer above a zoned device (-s): written data and the states and write pointers of zones are in the
/// overlay, and the device does not change. Zones start as the device reported them when it was opened, and then follow
/// ZoneModel.
class ZonedOverlay final : public EmulatedZones, private VmState {
public:
    /// `flags`: of the overlay. ENOTSUP, with the reason, for a device whose zones the model cannot describe.
    static Result<std::unique_ptr<ZonedOverlay>> create(std::unique_ptr<BlockNode> base, const NodeFlags& flags,
                                                        const DriverInfo& overlay_info);

    /// Original name of the temporary file.
    const std::string& filename() const { return overlay_->filename(); }

    /// Reports the clusters of the overlay.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        return storage_->block_status(offset, bytes, want_zero);
    }
    Result<bool> populate(uint64_t offset, uint64_t bytes) override { return overlay_->populate(offset, bytes); }
    ImageDetails details() const override { return {cluster_bytes, 0, {}}; }
    Status set_permissions(const Permissions& permissions) override { return storage_->set_permissions(permissions); }
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override {
        return overlay_->prepare_reopen(options, flags);
    }

private:
    class WrittenPart;
    void take_geometry(const Limits& limits, uint64_t length);
    Status read_zones(BlockNode& base);
    Status read_zone(const ZoneDescriptor& zone);

    const ZoneGeometry& geometry() const override { return geometry_; }
    ZoneTable& table() override { return *table_; }
    void after_reset(uint64_t zone) override;
    Status may_change() override { return read_only_ ? Status::from_errno(EBADF) : Status(); }
    bool is_read_only() const override { return read_only_; }
    Status flush_zones() override;

    ZoneGeometry geometry_;
    ZoneEntries entries_; ///< flushed words: the zones of the device below
    std::optional<ZoneTable> table_;
    std::unique_ptr<BlockNode> node_; ///< node of the overlay for the data
    SnapshotOverlay* overlay_ = nullptr;
    bool read_only_ = false;
};

} // namespace zoneio
