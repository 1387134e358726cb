// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/parent_driver.h"
#include "block/zoned/model.h"

#include <memory>
#include <mutex>
#include <shared_mutex>

namespace zoneio {

/// What drivers share whose zones follow ZoneModel: requests, reports and management, with the behaviour of Linux's
/// null_blk. Where the zones' data and words are is the driver's own affair.
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

    /// Such a device has no discard, and one that is asked for is no error.
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

    /// Before anything is changed: a word, or data in a conventional zone.
    virtual Status before_change() { return {}; }
    /// Before anything is written into a sequential zone at `pointer` bytes from its start.
    virtual Status before_write(uint64_t /*zone*/, uint64_t /*pointer*/) { return {}; }
    /// A zone was reset: its space can be given back.
    virtual void after_reset(uint64_t zone) = 0;
    /// The search for a zone to close goes on elsewhere.
    virtual void cursor_moved() {}
    /// May zones be changed now? Without write access: EBADF, the error that the ioctls give.
    virtual Status may_change() = 0;
    virtual bool is_read_only() const = 0;
    /// Brings everything to the medium; nobody changes a zone meanwhile.
    virtual Status flush_zones() = 0;
    /// EIO when the words of zones are not where they were: somebody else cut the file off.
    virtual Status check_table() { return {}; }
    /// The same of the zones' data.
    virtual Status check_length() { return {}; }

    void announce_limits();

    BlockNode* storage_ = nullptr; ///< what holds the data
    uint64_t data_offset_ = 0;     ///< where the zones begin in it, bytes
    std::unique_ptr<ZoneModel> model_;

private:
    static constexpr WriteFlags holes{false, true, false};

    /// The zones that begin in a range.
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

    /// Held by whoever changes zones. One write at a time, so that each finds the pointer of the one before.
    std::mutex changing_;
    /// Shared by reads; held alone while written data stops being readable.
    std::shared_mutex reading_;
};

} // namespace zoneio
