// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// Memory of a request: a list of segments. Owns the list, not the memory.
///
/// A list of one segment, the usual case, allocates nothing.
class IoVec {
public:
    IoVec() = default;
    IoVec(void* base, size_t length) : single_{base, length}, count_(1), bytes_(length) {}

    void push_back(void* base, size_t length);
    /// Appends the part [offset, offset + length) of `other`, but at most `most_segments` segments of it.
    void append(const IoVec& other, uint64_t offset, uint64_t length, size_t most_segments = SIZE_MAX);
    /// The part [offset, offset + length) of this list, but at most `most_segments` segments of it. The time depends on
    /// the number of segments in the part, not on its offset.
    IoVec slice(uint64_t offset, uint64_t length, size_t most_segments = SIZE_MAX) const;

    std::span<const iovec> segments() const { return {count_ == 1 ? &single_ : many_.data(), count_}; }
    size_t count() const { return count_; }
    uint64_t bytes() const { return bytes_; }

    /// True if all bytes are zero.
    bool is_zero() const;
    /// Sets the bytes [offset, offset + length) to `byte`.
    void fill(uint64_t offset, uint64_t length, uint8_t byte) const;
    /// Copies all bytes to, or from, contiguous memory.
    void copy_to(void* target) const;
    void copy_from(const void* source) const;
    /// True if every segment starts at a multiple of `memory` and has a length that is a multiple of `length`, in
    /// bytes.
    bool is_aligned(size_t memory, size_t length) const;

private:
    /// A segment, and an offset in it.
    struct Position {
        size_t segment;
        uint64_t offset;
    };
    Position find(uint64_t offset) const;

    iovec single_{};
    std::vector<iovec> many_;
    std::vector<uint64_t> ends_; ///< end offset of each segment; empty for short lists
    size_t count_ = 0;
    uint64_t bytes_ = 0;
};

/// Memory aligned for O_DIRECT. It is reused until a larger size is reserved.
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    AlignedBuffer(AlignedBuffer&& other) noexcept;
    AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
    AlignedBuffer(const AlignedBuffer&) = delete;
    AlignedBuffer& operator=(const AlignedBuffer&) = delete;
    ~AlignedBuffer();

    static constexpr size_t default_alignment = 4096;

    /// Makes room for `size` bytes, aligned to `alignment` or to default_alignment, whichever is larger. The old
    /// content may be lost. False if there is not enough memory; the buffer is empty then.
    [[nodiscard]] bool reserve(size_t size, size_t alignment = default_alignment);
    /// The same for callers that pass errors on: ENOMEM.
    Status allocate(size_t size, size_t alignment = default_alignment) {
        return reserve(size, alignment) ? Status() : Status::from_errno(ENOMEM);
    }
    /// Frees the memory.
    void release();

    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t capacity() const { return capacity_; }

private:
    uint8_t* data_ = nullptr;
    size_t capacity_ = 0;
    size_t alignment_ = 0;
};

/// True if all `length` bytes equal `byte`.
bool all_bytes_equal(const void* data, size_t length, uint8_t byte);

} // namespace zoneio
