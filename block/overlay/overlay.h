// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"
#include "block/overlay/cluster_map.h"

#include <atomic>
#include <memory>

namespace zoneio {

/// A temporary layer over an image, which is never written: what is written goes to a temporary file, in clusters of
/// 64 KiB, and is gone when the image is closed (-s).
///
/// It shows what upstream's temporary qcow2 file shows: which clusters are allocated, the VM state behind the disk, a
/// size that can be changed. Requests that give a cluster its first content are done one at a time for each cluster.
class SnapshotOverlay final : public BlockDriver, private VmState {
public:
    /// As much as upstream's temporary file can describe, bytes.
    static constexpr uint64_t max_size = uint64_t{1} << 51;

    /// EFBIG for an image above max_size; else what is wrong with the temporary file.
    static Result<std::unique_ptr<SnapshotOverlay>> create(std::unique_ptr<BlockNode> base, bool read_only);

    /// What the temporary file was called.
    const std::string& filename() const { return map_->filename(); }

    Status preadv(uint64_t offset, const IoVec& iov) override;
    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override;
    /// Whole clusters only; they read as zeros from then on.
    Status pdiscard(uint64_t offset, uint64_t bytes) override;
    /// There is nothing to keep.
    Status flush() override { return {}; }
    Status truncate(uint64_t size, PreallocMode mode) override;
    /// What the overlay itself has; what is below it counts as not allocated.
    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override;
    Result<uint64_t> length() override { return size_.load(std::memory_order_relaxed); }

    ImageDetails details() const override;
    Status pwritev_compressed(uint64_t offset, const IoVec& iov) override;
    Result<bool> populate(uint64_t offset, uint64_t bytes) override;
    Status read_vmstate(uint64_t offset, const IoVec& iov) override;
    Status write_vmstate(uint64_t offset, const IoVec& iov) override;

    /// The image below is only read, and everybody else may do with it what they like.
    Status set_permissions(const Permissions& permissions) override;
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;

    /// Forgets what was written to the clusters that lie wholly in a range: the image below shows again.
    Status forget(uint64_t offset, uint64_t bytes);

private:
    /// Whole clusters around a range.
    struct Span {
        Span(uint64_t offset, uint64_t bytes);
        uint64_t first;
        uint64_t count;
        uint64_t begin() const { return first * ClusterMap::cluster_bytes; }
        uint64_t end() const { return (first + count) * ClusterMap::cluster_bytes; }
    };

    /// Zeros to write, from one cluster's worth of memory that nobody writes to.
    static IoVec zeros(uint64_t bytes);

    /// The VM state begins behind the disk, at a multiple of this.
    static constexpr uint64_t vm_state_unit = 512U << 20;
    uint64_t vm_state_offset() const;

    template <typename Visit>
    Status for_each_run(uint64_t offset, const IoVec& iov, Visit visit);
    Status read_base(uint64_t offset, const IoVec& iov);
    bool is_known_zero(uint64_t begin, uint64_t end);
    Result<bool> base_is_zero(uint64_t begin, uint64_t end);
    Result<bool> is_in_place(const Span& span);
    /// The following are called by whoever alone has the clusters.
    Status write_clusters(uint64_t offset, const IoVec& iov);
    Status fill_clusters(uint64_t offset, const IoVec& iov, ClusterKind kind);
    Status zero_part(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status zero_range(uint64_t offset, uint64_t bytes, WriteFlags flags);
    Status compress_cluster(uint64_t offset, const IoVec& iov);
    Status populate_run(uint64_t first, uint64_t count);
    Status allocate_cluster(uint64_t cluster);
    Status preallocate(uint64_t begin, uint64_t end, PreallocMode mode);

    std::unique_ptr<BlockNode> base_;
    std::unique_ptr<ClusterMap> map_;
    std::atomic<uint64_t> size_{0};
    bool read_only_ = false;
    bool is_written_ = false; ///< somebody has the permission to
    RequestTracker clusters_;
};

} // namespace zoneio
