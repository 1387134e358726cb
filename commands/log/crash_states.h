// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/power_cut.h"
#include "block/log/replay.h"
#include "block/log/scratch.h"

#include <memory>
#include <string>
#include <vector>

namespace zoneio {

/// Places of power cuts, in the order of entries.
enum class CutPlaces : uint8_t {
    flushes, ///< before each flush, and at the end: these states include those of cuts at other entries
    end,     ///< after the last entry
    random,  ///< at random entries, one state each
};

/// The entries after which to cut; for random places, `count` of them.
Result<std::vector<uint64_t>> find_cuts(LogReader& reader, CutPlaces places, uint64_t count, uint64_t seed);

/// Creates the states that power cuts leave, cut after cut, in scratch copies of an image.
class CrashStates {
public:
    /// `image` must be as at the start of the log, and is only read. EINVAL, with the reason, if it is not.
    static Result<std::unique_ptr<CrashStates>> create(BlockBackend& image, const std::string& log_name);

    /// Moves to the cut after this entry. Entries must not decrease from call to call.
    Status go_to(uint64_t entry);
    const PowerCut& cut() const { return *cut_; }
    /// The last mark before the cut; empty if there is none.
    const std::string& mark() const { return mark_; }
    /// Creates a state of the cut in the file image_path().
    Status make(const PowerCut::StateId& id);
    std::string image_path() const { return scratch_->copy_path(); }
    /// Opens the last state for writing.
    Result<std::unique_ptr<BlockBackend>> open_image() const { return scratch_->open_copy(); }
    std::string socket_path() const { return scratch_->socket_path(); }
    Status keep(const std::string& path) const { return scratch_->keep(path); }

private:
    CrashStates() = default;

    Status learn_device(BlockBackend& image, uint32_t sector_size);
    Status apply_settled();
    Status apply_piece(LogReplay& replay, BlockBackend& target, const LogEntry& entry, const PowerCut::Piece& piece);

    OpenLog log_;                         ///< reads ahead, up to the cut
    std::unique_ptr<LogReader> applying_; ///< reads the entries to apply
    std::unique_ptr<ScratchImages> scratch_;
    std::unique_ptr<PowerCut> cut_;
    std::vector<uint64_t> capacities_;    ///< capacity of each zone; 0: conventional
    uint64_t applied_ = 0;                ///< number of entries applied to the base copy
    uint64_t read_ = 0;                   ///< number of entries added to the cut
    std::string mark_;
};

} // namespace zoneio
