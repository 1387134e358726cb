// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"
#include "block/overlay/cluster_map.h"

#include <atomic>
#include <memory>

namespace zoneio {

/// A temporary layer above an image (-s). Writes go to a temporary file, in clusters of 64 KiB, and are lost when the
/// image is closed; the image does not change.
///
/// It looks like QEMU's temporary qcow2 file: allocated clusters, the VM state after the disk, a size that can change.
/// For each cluster, requests that allocate its content run one at a time.
class SnapshotOverlay final : public BlockDriver, private VmState {
public:
    /// Largest size of QEMU's temporary file, in bytes.
    static constexpr uint64_t max_size = uint64_t{1} << 51;

    /// EFBIG for an image larger than max_size; otherwise the error of the temporary file.
    static Result<std::unique_ptr<SnapshotOverlay>> create(std::unique_ptr<BlockNode> base, bool read_only);

    /// Original name of the temporary file.
    const std::string& filename() const { return map_->filename(); }

    Status preadv(uint64_t offset, const IoVec& iov) override;
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override;
    /// Zeroes the clusters that lie wholly in the range. Ignores parts of clusters at its ends.
    Status pdiscard(uint64_t offset, uint64_t bytes) override;
    /// Temporary data need not be durable.
    Status flush() override { return {}; }
    Status truncate(uint64_t size, PreallocMode mode) override;
    /// Reports the overlay only: clusters of the image below count as not allocated.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override;
    Result<uint64_t> length() override { return size_.load(std::memory_order_relaxed); }

    ImageDetails details() const override;
    Status pwritev_compressed(uint64_t offset, const IoVec& iov) override;
    Result<bool> populate(uint64_t offset, uint64_t bytes) override;
    Status read_vmstate(uint64_t offset, const IoVec& iov) override;
    Status write_vmstate(uint64_t offset, const IoVec& iov) override;

    /// Takes only read permission on the image below, and shares all permissions.
    Status set_permissions(const Permissions& permissions) override;
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;

    /// Drops the clusters that lie wholly in a range, so that the image below is visible again.
    Status forget(uint64_t offset, uint64_t bytes);

private:
    /// Whole clusters around a range.
    struct Span {
        Span(uint64_t offset, uint64_t bytes);
        uint64_t first;
        uint64_t count;
        uint64_t begin() const { return first * cluster_bytes; }
        uint64_t end() const { return (first + count) * cluster_bytes; }
    };

    /// An iovec of zeros, which repeats a constant buffer of one cluster.
    static IoVec zeros(uint64_t bytes);

    /// The VM state starts after the disk, at a multiple of this (bytes).
    static constexpr uint64_t vm_state_unit = 512U << 20;
    uint64_t vm_state_offset() const;

    template <typename Visit>
    Status for_each_run(uint64_t offset, const IoVec& iov, Visit visit);
    Status read_base(uint64_t offset, const IoVec& iov);
    Result<bool> is_known_zero(uint64_t begin, uint64_t end);
    Result<bool> must_read_edges(uint64_t begin, uint64_t position, uint64_t position_end, uint64_t end);
    Result<bool> base_is_zero(uint64_t begin, uint64_t end);
    Result<bool> is_in_place(const Span& span);
    /// REQUIRES for the next functions: the caller holds the clusters exclusively.
    Status write_clusters(uint64_t offset, const IoVec& iov);
    Status fill_clusters(uint64_t offset, const IoVec& iov, ClusterKind kind);
    Status zero_part(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status zero_range(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status compress_cluster(uint64_t offset, const IoVec& iov);
    Status populate_run(uint64_t first, uint64_t count);
    Status allocate_cluster(uint64_t cluster);
    Status preallocate(uint64_t begin, uint64_t end, PreallocMode mode);
    bool is_written() const;
    Status unnamed() const;

    std::unique_ptr<BlockNode> base_;
    std::unique_ptr<ClusterMap> map_;
    std::atomic<uint64_t> size_{0};
    bool read_only_ = false;
    unsigned taken_ = 0;       ///< permissions that a node above holds
    bool is_reopened_ = false; ///< reopened while a node above held write permission
    RequestTracker clusters_;
};

} // namespace zoneio
