// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <cstdint>

namespace zoneio {

/// A shared mapping of a part of a file.
///
/// An access to mapped memory raises SIGBUS in two cases, and neither ends the program. If another process has
/// truncated the file, the missing page is replaced by zeros, in this process only, and is_lost() returns true from
/// then on. If the file system has no room for a page that is written (a hole, or copy-on-write), try_write() returns
/// false.
class MappedFile {
public:
    MappedFile() = default;
    ~MappedFile() { unmap(); }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    /// `now`: map() loads the pages of the file; `when_touched`: the first access does.
    enum class Pages : uint8_t { now, when_touched };

    /// Maps `length` bytes at `offset`, a multiple of the page size. ENOMEM if memory or mappings are exhausted.
    /// Unblocks SIGBUS in the calling thread and so in the threads that it starts later.
    Status map(int fd, size_t length, bool read_only, uint64_t offset = 0, Pages pages = Pages::now);

    uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    /// Runs `write`, which stores into the mapped memory and does nothing else. False if a store had no page, because
    /// the file system is full or the file was truncated. That store and all later ones of `write` were not made.
    template <typename Write>
    static bool try_write(Write&& write) {
        sigjmp_buf before;
        // The signal mask is not saved, which would cost a system call for each store.
        if (sigsetjmp(before, 0) != 0) {
            return false;
        }
        begin_attempt(before);
        write();
        end_attempt();
        return true;
    }

    /// True after a read has touched a part of the file that no longer exists.
    bool is_lost() const { return slot_ != nullptr && slot_->lost.load(std::memory_order_relaxed); }

    /// What the signal handler knows about a mapping.
    struct Slot {
        std::atomic<uintptr_t> begin{0}; ///< address; 0: the slot is free
        std::atomic<uintptr_t> end{0};
        std::atomic<uintptr_t> page_size{0};
        std::atomic<bool> lost{false};
    };

private:
    /// Until the attempt ends, a SIGBUS of this thread in mapped memory jumps to `before`.
    static void begin_attempt(sigjmp_buf& before);
    static void end_attempt();
    void unmap();

    size_t mapped_ = 0; ///< length in bytes, of whole pages
    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    Slot* slot_ = nullptr;
};

} // namespace zoneio
