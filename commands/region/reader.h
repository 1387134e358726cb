// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads a range of any length in pieces. Holes are found by block status and not read.
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
    uint8_t* data = nullptr; ///< null: the piece reads as zeros, and may be longer than piece_bytes
};

class RegionReader {
public:
    /// Longest piece with data: it fits into a cache between two system calls.
    static constexpr uint64_t piece_bytes = 512U << 10;

    /// Uses `buffer` as its memory. The `front` bytes before the data of a piece are free for the caller.
    RegionReader(BlockBackend& backend, AlignedBuffer& buffer, Region region, uint64_t front = 0);

    bool at_end() const { return position_ == region_.end(); }
    uint64_t position() const { return position_; }
    /// Number of bytes read so far.
    uint64_t done() const { return position_ - region_.offset; }
    /// The next piece, at most `most` bytes. REQUIRES: !at_end(). Errors: ENOMEM, and those of the image with the
    /// offset in their text.
    Result<RegionPiece> next(uint64_t most = UINT64_MAX);

    /// Memory of the pieces, piece_bytes long. Valid after the first piece.
    uint8_t* data() { return buffer_.data() + front_; }

private:
    bool find_extent();

    BlockBackend& backend_;
    AlignedBuffer& buffer_;
    Region region_;
    uint64_t front_;
    uint64_t position_;
    uint64_t extent_end_; ///< end of the extent whose status is known
    bool is_zero_ = false;
};

/// Progress and interruption for a command that prints results while it works. At a terminal such a command shows no
/// progress line, which would mix with its output.
class RegionProgress {
public:
    RegionProgress(std::string_view what, uint64_t total, bool prints);

    /// Reports progress. False: the user interrupted the command.
    bool step(uint64_t done) { return work_ ? work_->step(done) : !InterruptEndsCommand::is_requested(); }

    /// Removes the progress line before further output.
    void end() { work_.reset(); }

private:
    std::optional<LongWork> work_;
};

} // namespace zoneio
