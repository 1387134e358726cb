// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace zoneio {

namespace {

/// Position lookup searches a list with fewer segments than this linearly, without a table of their ends.
constexpr size_t many_segments = 16;

} // namespace

void IoVec::push_back(void* base, size_t length) {
    if (count_ == 0) {
        single_ = {base, length};
    } else {
        if (count_ == 1) {
            many_.push_back(single_);
        }
        many_.push_back({base, length});
    }
    count_++;
    bytes_ += length;
    if (count_ == many_segments) {
        uint64_t end = 0;
        for (const iovec& segment : many_) {
            ends_.push_back(end += segment.iov_len);
        }
    } else if (count_ > many_segments) {
        ends_.push_back(bytes_);
    }
}

IoVec::Position IoVec::find(uint64_t offset) const {
    if (count_ >= many_segments) {
        const auto found = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) - ends_.begin());
        return {found, found == 0 ? offset : offset - ends_[found - 1]};
    }
    size_t segment = 0;
    while (segment < count_ && offset >= segments()[segment].iov_len) {
        offset -= segments()[segment++].iov_len;
    }
    return {segment, offset};
}

void IoVec::append(const IoVec& other, uint64_t offset, uint64_t length, size_t most_segments) {
    Position position = other.find(offset);
    for (const iovec& segment : other.segments().subspan(position.segment)) {
        if (length == 0 || most_segments == 0) {
            return;
        }
        if (segment.iov_len == 0) {
            continue;
        }
        const size_t part = std::min<uint64_t>(segment.iov_len - position.offset, length);
        push_back(static_cast<uint8_t*>(segment.iov_base) + position.offset, part);
        position.offset = 0;
        length -= part;
        most_segments--;
    }
}

IoVec IoVec::slice(uint64_t offset, uint64_t length, size_t most_segments) const {
    IoVec part;
    part.append(*this, offset, length, most_segments);
    return part;
}

bool IoVec::is_zero() const {
    const auto segment_is_zero = [](const iovec& s) { return all_bytes_equal(s.iov_base, s.iov_len, 0); };
    return std::all_of(segments().begin(), segments().end(), segment_is_zero);
}

void IoVec::fill(uint64_t offset, uint64_t length, uint8_t byte) const {
    const IoVec part = slice(offset, length);
    for (const iovec& segment : part.segments()) {
        memset(segment.iov_base, byte, segment.iov_len);
    }
}

void IoVec::copy_to(void* target) const {
    auto* to = static_cast<uint8_t*>(target);
    for (const iovec& segment : segments()) {
        memcpy(to, segment.iov_base, segment.iov_len);
        to += segment.iov_len;
    }
}

void IoVec::copy_from(const void* source) const {
    const auto* from = static_cast<const uint8_t*>(source);
    for (const iovec& segment : segments()) {
        memcpy(segment.iov_base, from, segment.iov_len);
        from += segment.iov_len;
    }
}

bool IoVec::is_aligned(size_t memory, size_t length) const {
    return std::all_of(segments().begin(), segments().end(), [&](const iovec& s) {
        return reinterpret_cast<uintptr_t>(s.iov_base) % memory == 0 && s.iov_len % length == 0;
    });
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)),
      alignment_(std::exchange(other.alignment_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(alignment_, other.alignment_);
    return *this;
}

AlignedBuffer::~AlignedBuffer() {
    free(data_);
}

bool AlignedBuffer::reserve(size_t size, size_t alignment) {
    if (data_ != nullptr && size <= capacity_ && alignment <= alignment_) {
        return true;
    }
    // Some kernel drivers report a smaller alignment and then mix up the parts of a block that lie in two pages.
    alignment = std::max(alignment, default_alignment);
    release();
    void* memory = nullptr;
    if (posix_memalign(&memory, alignment, std::max<size_t>(size, 1)) != 0) {
        return false;
    }
    data_ = static_cast<uint8_t*>(memory);
    capacity_ = size;
    alignment_ = alignment;
    return true;
}

void AlignedBuffer::release() {
    free(data_);
    data_ = nullptr;
    capacity_ = 0;
    alignment_ = 0;
}

bool all_bytes_equal(const void* data, size_t length, uint8_t byte) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    // Comparing the memory with itself, one byte on, lets memcmp's vector code do the work.
    return length == 0 || (bytes[0] == byte && memcmp(bytes, bytes + 1, length - 1) == 0);
}

} // namespace zoneio
