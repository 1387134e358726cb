// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"

namespace zoneio {

/// A driver with a node below it. Passes requests that concern the whole chain to that node.
class ParentDriver : public BlockDriver {
public:
    BlockNode* child() const override { return child_.get(); }
    Status set_permissions(const Permissions& permissions) override;
    void drain(bool on) override;

protected:
    /// Takes the child, and copies the traits that hold for the whole chain.
    void adopt(std::unique_ptr<BlockNode> child);

    std::unique_ptr<BlockNode> child_; ///< may be null
};

/// A driver that shows its child unchanged and intervenes only when requests pass.
class FilterDriver : public ParentDriver, protected ZoneOperations {
public:
    FilterDriver() {
        traits_.writes_zeroes = true;
        traits_.passes_fua = true;
        extras_.zones = this;
    }

    Status preadv(uint64_t offset, const IoVec& iov) override { return child_->preadv(offset, iov); }
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        return child_->pwritev(offset, iov, flags);
    }
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        return child_->pwrite_zeroes(offset, bytes, flags);
    }
    Status pdiscard(uint64_t offset, uint64_t bytes) override { return child_->pdiscard(offset, bytes); }
    Status flush() override { return child_->flush(); }
    Status truncate(uint64_t size, PreallocMode mode) override { return child_->truncate(size, mode); }
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        return child_->block_status(offset, bytes, want_zero);
    }
    Result<uint64_t> length() override { return child_->length(); }

protected:
    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override {
        return child_->zone_report(offset, count, visit);
    }
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override { return child_->zone_mgmt(op, offset, bytes); }
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        return child_->zone_append(offset, iov, flags);
    }
    Status set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) override {
        return child_->set_zone_state(offset, bytes, state);
    }
    ZoneControl zone_control() const override {
        const ZoneOperations* const below = child_->extras().zones;
        return below != nullptr ? below->zone_control() : ZoneControl();
    }

    /// Takes the child.
    void adopt(std::unique_ptr<BlockNode> child) {
        traits_.has_info = child->driver().traits().has_info;
        ParentDriver::adopt(std::move(child));
    }

    static Status missing_child() { return Status::invalid("A block device must be specified for \"file\""); }
};

} // namespace zoneio
