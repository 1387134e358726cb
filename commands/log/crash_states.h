// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/power_cut.h"
#include "block/log/replay.h"
#include "block/log/scratch.h"

#include <memory>
#include <string>
#include <vector>

namespace zoneio {

/// Where the power is cut: behind these entries, in their order.
enum class CutPlaces : uint8_t {
    flushes, ///< before each flush, and at the end: each state of a cut in between is among those of the flush behind it
    end,     ///< behind the last entry
    random,  ///< wherever the seed says, one state at each
};

/// The entries behind which to cut. `count` of them where they are random.
Result<std::vector<uint64_t>> find_cuts(LogReader& reader, CutPlaces places, uint64_t count, uint64_t seed);

/// Makes the states that power cuts leave, cut after cut, in scratch copies of an image.
class CrashStates {
public:
    /// `image` is as it was when the log began, and is only read. EINVAL, with the reason, where it is not.
    static Result<std::unique_ptr<CrashStates>> create(BlockBackend& image, const std::string& log_name);

    /// Goes on to the cut behind this entry, which is not before the one of the last call.
    Status go_to(uint64_t entry);
    const PowerCut& cut() const { return *cut_; }
    /// The last mark up to the cut; empty: there is none.
    const std::string& mark() const { return mark_; }
    /// Makes a state of the cut, in the file image_path().
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
    std::unique_ptr<LogReader> applying_; ///< reads what is to be done
    std::unique_ptr<ScratchImages> scratch_;
    std::unique_ptr<PowerCut> cut_;
    std::vector<uint64_t> capacities_;    ///< of zones; 0: conventional
    uint64_t applied_ = 0;                ///< entries that the base of the copies has
    uint64_t read_ = 0;                   ///< entries that the cut knows
    std::string mark_;
};

} // namespace zoneio
