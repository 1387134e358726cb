// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/region/reader.h"

#include <algorithm>
#include <unistd.h>

namespace zoneio {

namespace {

uint64_t aligned(uint64_t bytes) {
    constexpr uint64_t unit = AlignedBuffer::default_alignment;
    return (bytes + unit - 1) / unit * unit;
}

} // namespace

RegionReader::RegionReader(BlockBackend& backend, AlignedBuffer& buffer, Region region, uint64_t front)
    : backend_(backend), buffer_(buffer), region_(region), front_(aligned(front)), position_(region.offset),
      extent_end_(region.offset) {}

/// If the block status fails, the data is read.
bool RegionReader::find_extent() {
    const uint64_t rest = region_.end() - position_;
    const Result<BlockExtent> extent = backend_.block_status(position_, rest, true);
    const bool is_known = extent.ok() && extent->bytes > 0;
    extent_end_ = position_ + (is_known ? std::min(extent->bytes, rest) : rest);
    return is_known && extent->zero;
}

Result<RegionPiece> RegionReader::next(uint64_t most) {
    if (buffer_.capacity() < front_ + piece_bytes && !buffer_.reserve(front_ + piece_bytes)) {
        return Status::error(ENOMEM, fmt::format("cannot allocate {} bytes of memory for the data", front_ + piece_bytes));
    }
    if (position_ == extent_end_) {
        is_zero_ = find_extent();
    }
    RegionPiece piece{position_, std::min(extent_end_ - position_, most), nullptr};
    if (!is_zero_) {
        // Pieces end at multiples of their size, so that only the first and the last are padded.
        piece.bytes = std::min(piece.bytes, piece_bytes - position_ % piece_bytes);
        piece.data = data();
        Status status = backend_.execute(Request::read(position_, IoVec(piece.data, piece.bytes)));
        if (!status.ok()) {
            const std::string text = fmt::format("reading {} bytes at offset {}: {}", piece.bytes, position_, status.message());
            return std::move(status).with_text(text);
        }
    }
    position_ += piece.bytes;
    return piece;
}

RegionProgress::RegionProgress(std::string_view what, uint64_t total, bool prints) {
    if (!prints || isatty(STDOUT_FILENO) == 0) {
        work_.emplace(what, total, LongWork::Unit::bytes);
    }
}

} // namespace zoneio
