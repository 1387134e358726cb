// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"

namespace zoneio {

/// A driver that shows its child as it is, and only does something at the requests that pass.
class FilterDriver : public BlockDriver {
public:
    Status preadv(uint64_t offset, const IoVec& iov) override { return child_->preadv(offset, iov); }
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        return child_->pwritev(offset, iov, flags);
    }
    bool passes_fua() const override { return true; }
    Status flush() override { return child_->flush(); }
    bool can_write_zeroes() const override { return true; }
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        return child_->pwrite_zeroes(offset, bytes, flags);
    }
    Status pdiscard(uint64_t offset, uint64_t bytes) override { return child_->pdiscard(offset, bytes); }
    Status truncate(uint64_t size, PreallocMode mode) override { return child_->truncate(size, mode); }
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        return child_->block_status(offset, bytes, want_zero);
    }
    Result<uint64_t> length() override { return child_->length(); }
    Status info() override { return child_->driver().info(); }

protected:
    static Status missing_child() { return Status::error(EINVAL, "A block device must be specified for \"file\""); }
};

} // namespace zoneio
