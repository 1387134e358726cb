// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/filter.h"
#include "block/zoned/model.h"

#include <memory>
#include <mutex>
#include <shared_mutex>

namespace zoneio {

/// Base of drivers whose zones follow ZoneModel: requests, reports and management, with the behaviour of Linux's
/// null_blk. The derived driver stores the data and the words of zones.
class EmulatedZones : public ParentDriver, private ZoneOperations {
public:
    EmulatedZones() {
        traits_.writes_zeroes = true;
        traits_.has_info = true;
        extras_.zones = this;
    }

    Status preadv(uint64_t offset, const IoVec& iov) override;
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override;

    /// The device has no discard. A discard succeeds and does nothing.
    Status pdiscard(uint64_t /*offset*/, uint64_t /*bytes*/) override { return {}; }

    Status flush() override;
    Status truncate(uint64_t size, PreallocMode mode) override;

    Result<uint64_t> length() override { return geometry().size; }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override;
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override;
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) override;
    ZoneControl zone_control() const override { return {model_->cursor(), !is_read_only(), true}; }

protected:
    virtual const ZoneGeometry& geometry() const = 0;
    virtual ZoneTable& table() = 0;

    /// Called before a word, or data in a conventional zone, changes.
    virtual Status before_change() { return {}; }
    /// Called before a write into a sequential zone, `pointer` bytes after its start.
    virtual Status before_write(uint64_t /*zone*/, uint64_t /*pointer*/) { return {}; }
    /// Called after a reset of a zone: its space can be freed.
    virtual void after_reset(uint64_t zone) = 0;
    /// Called when the search for a zone to close will continue at another zone.
    virtual void cursor_moved() {}
    /// EBADF, as from the ioctls, without write access.
    virtual Status may_change() = 0;
    virtual bool is_read_only() const = 0;
    /// Saves everything on the medium. No zone changes during the call.
    virtual Status flush_zones() = 0;
    /// EIO if another program has truncated the file, so that the words of zones are gone.
    virtual Status check_table() { return {}; }
    /// EIO if another program has truncated the file, so that data of zones is gone.
    virtual Status check_length() { return {}; }

    void announce_limits();

    BlockNode* storage_ = nullptr; ///< node that holds the data
    uint64_t data_offset_ = 0;     ///< offset of the first zone in the storage, in bytes
    std::unique_ptr<ZoneModel> model_;

private:
    static constexpr WriteFlags holes{false, true, false};

    /// Zones that start in a range (bytes).
    uint64_t zones_in(uint64_t offset, uint64_t bytes) const {
        const uint64_t zone_size = geometry().zone_size;
        return (offset + bytes + zone_size - 1) / zone_size - offset / zone_size;
    }
    Result<uint64_t> append(uint64_t offset, const IoVec& iov);
    Status read_storage(uint64_t position, const IoVec& iov);

    template <typename WriteData>
    Status write_zones(uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status write_zone(uint64_t zone, uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status make_change(const ZoneChange& change, WriteData&& write_data);
    Status make_management_change(const ZoneChange& change);
    Status commit(const ZoneChange& change);

    /// Held while zones change. Writes run one at a time, so that each starts at the write pointer of the one before.
    std::mutex changing_;
    /// Shared by reads; exclusive while written data stops being readable.
    std::shared_mutex reading_;
};

} // namespace zoneio
