// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <cstdint>

namespace zoneio {

/// A part of a file, mapped shared.
///
/// Two things raise SIGBUS in mapped memory, and neither ends the program here. A file that somebody else has cut off:
/// zeros take the place of the missing page, in this process alone, and is_lost() is true from then on. A file system that
/// has no room for a page that is written (a hole, or copy-on-write): try_write() returns false.
class MappedFile {
public:
    MappedFile() = default;
    ~MappedFile() { unmap(); }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    /// When the pages of the file are found.
    enum class Pages : uint8_t { now, when_touched };

    /// Maps `length` bytes from `offset` on, a multiple of the page size; ENOMEM also when there are too many mappings. The
    /// calling thread, and those that it starts from then on, take SIGBUS.
    Status map(int fd, size_t length, bool read_only, uint64_t offset = 0, Pages pages = Pages::now);

    uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    /// Runs `write`, which stores into the mapped memory and nowhere else. False when a store found no page to go to: the
    /// file system is full, or the file was cut off. Then none of the stores from that one on was made.
    template <typename Write>
    static bool try_write(Write&& write) {
        sigjmp_buf before;
        // Signal masks are not saved: that would be a system call for each store.
        if (sigsetjmp(before, 0) != 0) {
            return false;
        }
        begin_attempt(before);
        write();
        end_attempt();
        return true;
    }

    /// True once a read has touched a part of the file that is gone.
    bool is_lost() const { return slot_ != nullptr && slot_->lost.load(std::memory_order_relaxed); }

    /// What the signal handler knows of a mapping.
    struct Slot {
        std::atomic<uintptr_t> begin{0}; ///< 0: free
        std::atomic<uintptr_t> end{0};
        std::atomic<uintptr_t> page_size{0};
        std::atomic<bool> lost{false};
    };

private:
    /// From one to the other, a SIGBUS of this thread in mapped memory jumps back to where `before` was filled.
    static void begin_attempt(sigjmp_buf& before);
    static void end_attempt();
    void unmap();

    size_t mapped_ = 0; ///< whole pages
    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    Slot* slot_ = nullptr;
};

} // namespace zoneio
