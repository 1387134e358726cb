// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/overlay/temporary_file.h"

#include <cstdint>
#include <shared_mutex>
#include <vector>

namespace zoneio {

/// Unit in which a snapshot holds content.
inline constexpr uint64_t cluster_bytes = 64U << 10;

/// What an overlay stores for a cluster.
enum class ClusterKind : uint8_t {
    unallocated, ///< nothing: reads use the image below
    zero,        ///< zeros, without a slot
    data,        ///< content
    compressed,  ///< content that was written compressed
    zero_kept,   ///< zeros, with a slot for content
};

/// Consecutive clusters of one kind. Their content, if any, is contiguous in the data file.
struct ClusterRun {
    ClusterKind kind = ClusterKind::unallocated;
    uint64_t count = 0;
    uint64_t position = 0; ///< offset of the content in the data file, in bytes

    bool is_zero() const { return kind == ClusterKind::zero || kind == ClusterKind::zero_kept; }
    bool has_content() const { return kind == ClusterKind::data || kind == ClusterKind::compressed; }
};

/// Stores the clusters of an overlay in two sparse temporary files: one with the content, one with a word of 8 bytes
/// for each cluster. Memory does not grow with the overlay.
///
/// A word consists of a slot of the data file, counted from 1 (bits 3-63; 0: none), and a kind (bits 0-2). A cluster
/// keeps its slot: a dropped cluster becomes a hole, and is written to the same slot again. Thread-safe, except that
/// the caller must not change a cluster in two threads at once.
class ClusterMap {
public:

    static Result<std::unique_ptr<ClusterMap>> create();

    /// The file with the content.
    BlockNode& data() { return *data_.node; }
    const std::string& filename() const { return data_.name; }

    /// The run that starts at cluster `first`, at most `limit` clusters; limit > 0.
    Result<ClusterRun> find(uint64_t first, uint64_t limit);
    /// Space for the content of clusters that have none: at most `limit` clusters, contiguous. Not visible to find()
    /// yet.
    Result<ClusterRun> reserve(uint64_t first, uint64_t limit);
    /// Records clusters whose content has been written at `position`.
    Status store(uint64_t first, uint64_t count, ClusterKind kind, uint64_t position);
    /// Makes clusters zero or unallocated and frees their space. With zero_kept, clusters without data become zero.
    Status drop(uint64_t first, uint64_t count, ClusterKind kind);
    /// Drops all clusters from `first` to the end.
    Status drop_from(uint64_t first);

private:
    using Words = std::vector<uint64_t>;

    Result<Words> load(uint64_t first, uint64_t count);
    Status save(uint64_t first, Words& words);
    Result<uint64_t> allocated_words();
    Status drop_locked(uint64_t first, uint64_t count, ClusterKind kind);

    TemporaryFile table_;
    TemporaryFile data_;
    uint64_t next_slot_ = 1;
    std::shared_mutex mutex_;
};

} // namespace zoneio
