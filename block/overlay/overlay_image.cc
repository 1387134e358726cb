// SPDX-License-Identifier: GPL-3.0-or-later
//
// The temporary overlay as an image: creation, size, information, VM state and compression.
#include "block/chain/open.h"
#include "block/base/size.h"
#include "block/overlay/overlay.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// log2 of a number that is not 0, in units of 2^-16. Avoids the math library, which every start would load.
uint64_t log2_of(uint32_t number) {
    const auto whole = static_cast<unsigned>(std::bit_width(number)) - 1;
    uint64_t mantissa = uint64_t{number} << (31 - whole); // in units of 2^-31, between 1 and 2
    uint64_t log = whole;
    for (int bit = 0; bit < 16; bit++) {
        mantissa = mantissa * mantissa >> 31;
        const uint64_t carry = mantissa >> 32;
        mantissa >>= carry;
        log = log << 1 | carry;
    }
    return log;
}

/// Estimates from the distribution of bytes whether compression would save space. Only nearly random data does not
/// compress. The answer matters only for whether such a write can be repeated.
bool is_compressible(const IoVec& iov) {
    std::array<uint32_t, 256> histogram{};
    for (const iovec& segment : iov.segments()) {
        const auto* const bytes = static_cast<const uint8_t*>(segment.iov_base);
        for (size_t i = 0; i < segment.iov_len; i++) {
            histogram[bytes[i]]++;
        }
    }
    const uint64_t log_of_total = log2_of(static_cast<uint32_t>(iov.bytes()));
    uint64_t bits = 0; // in units of 2^-16
    for (const uint32_t count : histogram) {
        bits += count == 0 ? 0 : count * (log_of_total - log2_of(count));
    }
    constexpr uint64_t worthwhile = (8 * cluster_bytes << 16) / 1000 * 995;
    return bits < worthwhile;
}

} // namespace

Result<std::unique_ptr<SnapshotOverlay>> SnapshotOverlay::create(std::unique_ptr<BlockNode> base, bool read_only) {
    const uint64_t length = TRY(base->length());
    std::unique_ptr<ClusterMap> map = TRY(ClusterMap::create());
    if (length > max_size) {
        return Status::error(EFBIG, fmt::format("Could not create temporary overlay '{}': Could not resize image: "
                                                "Failed to grow the L1 table: File too large",
                                                map->filename()));
    }
    auto overlay = std::make_unique<SnapshotOverlay>();
    overlay->traits_.writes_zeroes = true;
    overlay->traits_.has_info = true;
    for (const BlockNode* node = base.get(); node != nullptr; node = node->child()) {
        overlay->traits_.counts_requests = overlay->traits_.counts_requests || node->counts_requests();
    }
    overlay->extras_.vm_state = overlay.get();
    overlay->base_ = std::move(base);
    overlay->map_ = std::move(map);
    overlay->size_ = length;
    overlay->read_only_ = read_only;
    return overlay;
}

Result<BlockExtent> SnapshotOverlay::block_status(uint64_t offset, uint64_t bytes, bool /*want_zero*/) {
    const Span span(offset, bytes);
    const ClusterRun run = TRY(map_->find(span.first, span.count));
    const uint64_t end = std::min(offset + bytes, span.begin() + run.count * cluster_bytes);
    return BlockExtent{end - offset, run.has_content(), run.is_zero()};
}

ImageDetails SnapshotOverlay::details() const {
    return {cluster_bytes,
            vm_state_offset(),
            {{"compat", "1.1"},
             {"compression type", "zlib"},
             {"lazy refcounts", "false"},
             {"refcount bits", "16"},
             {"corrupt", "false"},
             {"extended l2", "false"}}};
}

Status SnapshotOverlay::truncate(uint64_t size, PreallocMode mode) {
    const uint64_t before = size_.load();
    if (size % sector_size != 0) {
        return Status::invalid(fmt::format("The new size must be a multiple of {}", sector_size));
    }
    if (size > max_size) {
        return Status::error(EFBIG, "Failed to grow the L1 table: File too large");
    }
    if (size < before && mode != PreallocMode::off) {
        return Status::error(ENOTSUP, "Preallocation can't be used for shrinking an image");
    }
    if (size < before) {
        // The rest of a cluster that is cut off stays unchanged. The VM state is dropped with the clusters after it.
        TRY(map_->drop_from((size + cluster_bytes - 1) / cluster_bytes));
        size_ = size;
        return {};
    }
    TRY(preallocate(before, size, mode));
    const uint64_t below = TRY(base_->length());
    size_ = size;
    if (below > before && size > before) {
        // The content of the image below must not reappear after it was cut off. Clusters that are zero already stay.
        const bool is_filled = mode == PreallocMode::falloc || mode == PreallocMode::full;
        const uint64_t end = is_filled ? std::min(size, Span(before, 0).end()) : size;
        const RequestTracker::Ticket alone(clusters_, Span(before, 0).begin(), Span(before, size - before).end(), true);
        Status status = end > before ? zero_range(before, end - before, {}) : Status();
        if (!status.ok()) {
            size_ = before;
        }
        return status;
    }
    return {};
}

/// Copies the content of a cluster that has none from below.
Status SnapshotOverlay::allocate_cluster(uint64_t cluster) {
    if (TRY(map_->find(cluster, 1)).has_content()) {
        return {};
    }
    AlignedBuffer buffer;
    TRY(buffer.allocate(cluster_bytes));
    const IoVec content(buffer.data(), cluster_bytes);
    content.fill(0, cluster_bytes, 0);
    TRY(preadv(cluster * cluster_bytes, content));
    return fill_clusters(cluster * cluster_bytes, content, ClusterKind::data);
}

/// Allocates the clusters by which an image grows; their content is zeros.
Status SnapshotOverlay::preallocate(uint64_t begin, uint64_t end, PreallocMode mode) {
    // If the size does not change, QEMU still allocates a last cluster that is cut off, except with
    // preallocation=metadata.
    const bool may_stay = mode == PreallocMode::metadata || begin % cluster_bytes == 0;
    if (mode == PreallocMode::off || (begin == end && may_stay)) {
        return {};
    }
    const RequestTracker::Ticket alone(clusters_, Span(begin, 0).begin(), Span(begin, end - begin).end(), true);
    if (begin % cluster_bytes != 0) {
        TRY(allocate_cluster(begin / cluster_bytes));
    }
    WriteFlags holes;
    holes.may_unmap = true;
    const uint64_t last = (end + cluster_bytes - 1) / cluster_bytes;
    for (uint64_t cluster = (begin + cluster_bytes - 1) / cluster_bytes; cluster < last;) {
        const ClusterRun place = TRY(map_->reserve(cluster, last - cluster));
        const uint64_t bytes = place.count * cluster_bytes;
        TRY(map_->data().pwrite_zeroes(place.position, bytes, mode == PreallocMode::metadata ? holes : WriteFlags{}));
        TRY(map_->store(cluster, place.count, ClusterKind::data, place.position));
        cluster += place.count;
    }
    return {};
}

uint64_t SnapshotOverlay::vm_state_offset() const {
    return (size_.load() + vm_state_unit - 1) / vm_state_unit * vm_state_unit;
}

Status SnapshotOverlay::read_vmstate(uint64_t offset, const IoVec& iov) {
    if (offset > max_size) {
        iov.fill(0, iov.bytes(), 0);
        return {};
    }
    return preadv(vm_state_offset() + offset, iov);
}

Status SnapshotOverlay::write_vmstate(uint64_t offset, const IoVec& iov) {
    if (iov.bytes() == 0) {
        return {};
    }
    if (offset > max_size || vm_state_offset() + offset + iov.bytes() > max_size) {
        return Status::from_errno(EFBIG);
    }
    return pwritev(vm_state_offset() + offset, iov, {});
}

Status SnapshotOverlay::pwritev_compressed(uint64_t offset, const IoVec& iov) {
    const uint64_t end = offset + iov.bytes();
    if (iov.bytes() == 0) {
        return {};
    }
    if (offset % cluster_bytes != 0 || (end % cluster_bytes != 0 && end != size_.load())) {
        return Status::from_errno(EINVAL);
    }
    const Span span(offset, iov.bytes());
    const RequestTracker::Ticket alone(clusters_, span.begin(), span.end(), true);
    // After a cluster that fails, QEMU still completes the clusters that it has started.
    constexpr uint64_t begun_together = 9;
    uint64_t left = span.count;
    Status first_error;
    for (uint64_t done = 0; done < iov.bytes() && left > 0; done += cluster_bytes, left--) {
        const uint64_t bytes = std::min(cluster_bytes, iov.bytes() - done);
        Status status = compress_cluster(offset + done, iov.slice(done, bytes));
        if (!status.ok() && first_error.ok()) {
            first_error = std::move(status);
            left = std::min(left, begun_together);
        }
    }
    return first_error;
}

/// EIO for a cluster that has content, unless the data does not compress and is stored as it is.
Status SnapshotOverlay::compress_cluster(uint64_t offset, const IoVec& iov) {
    if (!is_compressible(iov)) {
        return write_clusters(offset, iov);
    }
    const ClusterRun run = TRY(map_->find(offset / cluster_bytes, 1));
    const bool has_place = run.has_content() || run.kind == ClusterKind::zero_kept;
    return has_place ? Status::from_errno(EIO) : fill_clusters(offset, iov, ClusterKind::compressed);
}

bool SnapshotOverlay::is_written() const {
    return (taken_ & Permissions::write) != 0;
}

/// The temporary file cannot be opened again, because it has no name any more.
Status SnapshotOverlay::unnamed() const {
    return Status::error(ENOENT, fmt::format("Could not open '{}': No such file or directory", filename()))
        .because(Cause::overlay_unnamed);
}

Status SnapshotOverlay::set_permissions(const Permissions& permissions) {
    // After the first reopen, QEMU opens its file again for other access. Why it keeps the descriptor before is unknown.
    constexpr unsigned writing = Permissions::write | Permissions::resize;
    if (is_reopened_ && ((permissions.taken ^ taken_) & writing) != 0) {
        return unnamed();
    }
    Permissions below;
    below.taken = permissions.taken != 0 ? Permissions::consistent_read : 0U;
    TRY(base_->set_permissions(below));
    taken_ = permissions.taken;
    return {};
}

Result<std::unique_ptr<PendingReopen>> SnapshotOverlay::prepare_reopen(Options& options, const NodeFlags& flags) {
    Options below = options.take_subtree("file");
    NodeFlags below_flags;
    TRY(take_access_options(below, below_flags));
    TRY(take_data_options(below, below_flags));
    if (const std::string* const driver = below.find_text("driver"); driver != nullptr && *driver == "file") {
        below.erase("driver");
    }
    if (const std::optional<std::string> key = below.first_unknown()) {
        return Status::invalid(fmt::format("Cannot change the option '{}'", *key));
    }
    if (below_flags.read_only && is_written()) {
        return Status::error(EPERM, fmt::format("Read-only block node '{}' cannot support read-write users",
                                                map_->data().name()));
    }
    // While a user writes, read-only access is refused elsewhere, with another error.
    const bool is_refused_elsewhere = flags.read_only && is_written();
    const bool other_access = flags.read_only != read_only_ || is_reopened_;
    if (flags.direct || below_flags.direct || (other_access && !is_refused_elsewhere)) {
        return unnamed();
    }
    return reopen_by([this] { is_reopened_ = is_reopened_ || is_written(); });
}

} // namespace zoneio
