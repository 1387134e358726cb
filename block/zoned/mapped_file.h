// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace zoneio {

/// The begin of a file, mapped shared.
///
/// When somebody cuts the file off meanwhile, a touch of what is gone is a SIGBUS. Here it is none: zeros take the
/// place of the page, in this process alone, and is_lost() says so from then on.
class MappedFile {
public:
    MappedFile() = default;
    ~MappedFile() { unmap(); }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    /// Maps `length` bytes; ENOMEM also when there are too many mappings. The calling thread, and those that it starts
    /// from then on, take SIGBUS.
    Status map(int fd, size_t length, bool read_only);

    uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    /// Is a part of the file gone that was touched?
    bool is_lost() const { return slot_ != nullptr && slot_->lost.load(std::memory_order_relaxed); }

    /// What the signal handler knows of a mapping.
    struct Slot {
        std::atomic<uintptr_t> begin{0}; ///< 0: free
        std::atomic<uintptr_t> end{0};
        std::atomic<bool> lost{false};
    };

private:
    void unmap();

    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    Slot* slot_ = nullptr;
};

} // namespace zoneio
