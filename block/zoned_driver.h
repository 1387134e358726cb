// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/driver.h"
#include "block/file_descriptor.h"
#include "block/node.h"
#include "block/zone_model.h"
#include "block/zoned_file.h"
#include "block/zoned_flush.h"

#include <memory>
#include <mutex>
#include <shared_mutex>

namespace zoneio {

/// The driver `zoned`: a zoned block device in a file or in memory, with the behaviour of Linux's null_blk.
///
/// zoned.cc opens it, zoned_requests.cc does what it is asked.
class ZonedDriver final : public BlockDriver {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        auto driver = std::make_unique<ZonedDriver>();
        Status status = driver->open(context, options);
        if (!status.ok()) {
            return status;
        }
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    ~ZonedDriver() override {
        if (flush_ && no_flush_ && !read_only_) {
            flush_->adopt_unsynced();
        }
    }

    Status preadv(uint64_t offset, const IoVec& iov) override;
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override;

    bool can_write_zeroes() const override { return true; }
    /// Such a device has no discard, and one that is asked for is no error.
    Status pdiscard(uint64_t /*offset*/, uint64_t /*bytes*/) override { return {}; }

    Status flush() override;
    Status truncate(uint64_t size, PreallocMode mode) override;

    Result<uint64_t> length() override { return geometry().size; }
    Status info() override { return {}; }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override;
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override;
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) override;

    /// A zoned device has one user who writes, or any number of them who read.
    Status set_permissions(const Permissions& permissions) override;
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;

private:
    class Reopen;

    static constexpr WriteFlags holes{false, true, false};

    Status open(OpenContext& context, Options& options);
    Status open_child(OpenContext& context, Options& options);
    Status open_file(const ZonedOptions& options, bool read_only);
    void announce_limits();

    const ZoneGeometry& geometry() const { return file_->geometry(); }
    /// The zones that begin in a range.
    uint64_t zones_in(uint64_t offset, uint64_t bytes) const {
        const uint64_t zone_size = geometry().zone_size;
        return (offset + bytes + zone_size - 1) / zone_size - offset / zone_size;
    }
    Status may_change();
    Result<uint64_t> append(uint64_t offset, const IoVec& iov);

    template <typename WriteData>
    Status write_zones(uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status write_zone(uint64_t zone, uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status make_change(const ZoneChange& change, WriteData&& write_data);
    Status make_management_change(const ZoneChange& change);
    void commit(const ZoneChange& change);

    FileDescriptor memory_;                  ///< the file of a device in memory
    std::unique_ptr<BlockNode> memory_node_; ///< and its node, which is no child: there is nothing to reopen
    BlockNode* storage_ = nullptr;           ///< what holds the data: memory_node_ or the child
    std::unique_ptr<ZonedFile> file_;
    std::unique_ptr<ZoneModel> model_;
    std::unique_ptr<ZonedFlush> flush_;
    uint64_t data_offset_ = 0;
    bool read_only_ = false;
    bool no_flush_ = false;
    bool force_share_ = false;

    /// Held by whoever changes zones. One write at a time, so that each finds the pointer of the one before.
    std::mutex changing_;
    /// Shared by reads; held alone while written data stops being readable.
    std::shared_mutex reading_;
};

} // namespace zoneio
