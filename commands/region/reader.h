// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads a range of any length piece by piece. Holes are told by the chain of nodes, and not read.
#pragma once

#include "block/backend.h"
#include "commands/long_work.h"
#include "commands/region/range.h"

#include <optional>

namespace zoneio {

/// A piece of a range.
struct RegionPiece {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint8_t* data = nullptr; ///< null: it reads as zeros, and may be longer than the reader's memory
};

class RegionReader {
public:
    /// The most bytes that a piece with data has: what fits a cache between two system calls.
    static constexpr uint64_t piece_bytes = 512U << 10;

    /// `buffer` is the reader's memory as long as it lives. `front` bytes before the data of a piece are the caller's.
    RegionReader(BlockBackend& backend, AlignedBuffer& buffer, Region region, uint64_t front = 0);

    bool at_end() const { return position_ == region_.end(); }
    uint64_t position() const { return position_; }
    /// How much of the range came so far, bytes.
    uint64_t done() const { return position_ - region_.offset; }
    /// The next piece, of at most `most` bytes; only before the end. ENOMEM; else what the image says, with the offset.
    Result<RegionPiece> next(uint64_t most = UINT64_MAX);

    /// The memory of pieces, piece_bytes long; it is valid after the first piece.
    uint8_t* data() { return buffer_.data() + front_; }

private:
    bool find_extent();

    BlockBackend& backend_;
    AlignedBuffer& buffer_;
    Region region_;
    uint64_t front_;
    uint64_t position_;
    uint64_t extent_end_; ///< of what is known about the image
    bool is_zero_ = false;
};

/// Progress on stderr and the user's Ctrl-C, for a command that prints while it works: at a terminal a line about progress
/// would stand in the middle of its output.
class RegionProgress {
public:
    RegionProgress(std::string_view what, uint64_t total, bool prints);

    /// False: the user ended it.
    bool step(uint64_t done) { return work_ ? work_->step(done) : !InterruptEndsCommand::is_requested(); }

    /// Takes the line about progress away, for what is said next.
    void end() { work_.reset(); }

private:
    std::optional<LongWork> work_;
};

} // namespace zoneio
