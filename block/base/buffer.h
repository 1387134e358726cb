// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// A request's memory: segments in order. Owns the list, not the memory.
///
/// One segment, by far the most frequent case, needs no allocation.
class IoVec {
public:
    IoVec() = default;
    IoVec(void* base, size_t length) : single_{base, length}, count_(1), bytes_(length) {}

    void push_back(void* base, size_t length);
    /// Appends the part [offset, offset + length) of another list, or of it what `most_segments` hold.
    void append(const IoVec& other, uint64_t offset, uint64_t length, size_t most_segments = SIZE_MAX);
    /// The part [offset, offset + length) of this list, or of it what `most_segments` hold. Takes as long as the part has
    /// segments, wherever it begins.
    IoVec slice(uint64_t offset, uint64_t length, size_t most_segments = SIZE_MAX) const;

    std::span<const iovec> segments() const { return {count_ == 1 ? &single_ : many_.data(), count_}; }
    size_t count() const { return count_; }
    uint64_t bytes() const { return bytes_; }

    /// Are all bytes zero?
    bool is_zero() const;
    /// Sets [offset, offset + length) to `byte`.
    void fill(uint64_t offset, uint64_t length, uint8_t byte) const;
    /// Copies all bytes to, or from, one stretch of memory.
    void copy_to(void* target) const;
    void copy_from(const void* source) const;
    /// Do all segments begin and end at multiples of `memory` and `length`?
    bool is_aligned(size_t memory, size_t length) const;

private:
    /// The first segment that ends behind `offset`, and where in it that is.
    struct Position {
        size_t segment;
        uint64_t offset;
    };
    Position find(uint64_t offset) const;

    iovec single_{};
    std::vector<iovec> many_;
    std::vector<uint64_t> ends_; ///< where each segment ends; only where there are many
    size_t count_ = 0;
    uint64_t bytes_ = 0;
};

/// Memory at an alignment that O_DIRECT takes; kept and reused while it is large enough.
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    AlignedBuffer(AlignedBuffer&& other) noexcept;
    AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
    AlignedBuffer(const AlignedBuffer&) = delete;
    AlignedBuffer& operator=(const AlignedBuffer&) = delete;
    ~AlignedBuffer();

    static constexpr size_t default_alignment = 4096;

    /// Makes room for `size` bytes, at default_alignment at least; what was there may be lost. False when memory is short,
    /// and then there is none.
    [[nodiscard]] bool reserve(size_t size, size_t alignment = default_alignment);
    /// Gives the memory back.
    void release();

    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t capacity() const { return capacity_; }

private:
    uint8_t* data_ = nullptr;
    size_t capacity_ = 0;
    size_t alignment_ = 0;
};

/// Are `length` bytes all equal to `byte`?
bool all_bytes_equal(const void* data, size_t length, uint8_t byte);

} // namespace zoneio
