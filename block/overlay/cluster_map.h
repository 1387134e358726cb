// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/overlay/temporary_file.h"

#include <cstdint>
#include <shared_mutex>
#include <vector>

namespace zoneio {

/// What an overlay has of a cluster.
enum class ClusterKind : uint8_t {
    unallocated, ///< nothing: the image below is read
    zero,        ///< that it is zeros
    data,        ///< its content
    compressed,  ///< its content, which came compressed
    zero_kept,   ///< that it is zeros, and a place for content as well
};

/// Clusters in a row that are of one kind, and whose content, where they have one, is in one piece.
struct ClusterRun {
    ClusterKind kind = ClusterKind::unallocated;
    uint64_t count = 0;
    uint64_t position = 0; ///< of the content in the data file, bytes

    bool is_zero() const { return kind == ClusterKind::zero || kind == ClusterKind::zero_kept; }
    bool has_content() const { return kind == ClusterKind::data || kind == ClusterKind::compressed; }
};

/// Where an overlay keeps its clusters: a sparse temporary file with the content, and another one with a word of 8 bytes
/// for each cluster, so that memory does not grow with the overlay.
///
/// A word is a slot of the data file, counted from 1 (bits 3-63; 0: none), and a kind (bits 0-2). A cluster keeps its
/// slot for good: one that is dropped gives its space back as a hole, and has the same place when it is
/// written again. May be used by several threads at once; who changes the same cluster at the same time is for the
/// caller to prevent.
class ClusterMap {
public:
    static constexpr uint64_t cluster_bytes = 64U << 10;

    static Result<std::unique_ptr<ClusterMap>> create();

    /// The file that holds the content.
    BlockNode& data() { return *data_.node; }
    const std::string& filename() const { return data_.name; }

    /// The run that begins with `first`, at most `limit` clusters; limit > 0.
    Result<ClusterRun> find(uint64_t first, uint64_t limit);
    /// Where the content of clusters that have none may go: at most `limit` in one piece. Nobody sees it yet.
    Result<ClusterRun> reserve(uint64_t first, uint64_t limit);
    /// Clusters whose content has been written at `position`.
    Status store(uint64_t first, uint64_t count, ClusterKind kind, uint64_t position);
    /// Makes clusters zero, or unallocated, and gives their space back. As zero_kept, those that have no data become
    /// zero.
    Status drop(uint64_t first, uint64_t count, ClusterKind kind);
    /// Drops every cluster from `first` on.
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
