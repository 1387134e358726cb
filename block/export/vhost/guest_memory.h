// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/mapped_file.h"
#include "block/base/status.h"

#include <cstdint>
#include <memory>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// Copies from memory that somebody else may write at the same time: what was copied is never looked up there again.
inline void copy_once(void* target, const void* source, size_t length) {
    __builtin_memcpy(target, source, length);
    asm volatile("" : : "r"(target) : "memory"); // the compiler must not read the source a second time
}

/// One range of a guest's memory: where the guest, and where the front end has it.
struct MemoryRegion {
    uint64_t guest_address = 0;
    uint64_t size = 0;
    uint64_t user_address = 0;
    uint64_t file_offset = 0;

    bool operator==(const MemoryRegion&) const = default;
};

/// The memory that a front end shares: some ranges of files, mapped. Never changed once it is in use; requests keep it alive.
class GuestMemory {
public:
    /// More than front ends have; each takes a mapping.
    static constexpr size_t max_regions = 32;

    /// Maps one more. EINVAL when it is empty, wraps, overlaps another, or is not within the file.
    Status add(const MemoryRegion& region, const FileDescriptor& file);
    /// The same memory with one region more, or less. EINVAL as add(), or when there is no such region.
    Result<std::shared_ptr<GuestMemory>> with(const MemoryRegion& region, const FileDescriptor& file) const;
    Result<std::shared_ptr<GuestMemory>> without(const MemoryRegion& region) const;

    /// Appends the memory behind a range of guest addresses; false when not all of it is there. Ranges may go over
    /// neighbouring regions.
    bool translate(uint64_t guest_address, uint64_t length, std::vector<iovec>& segments) const;
    /// Copies from guest addresses; false when not all of it is there.
    bool read(uint64_t guest_address, void* target, size_t length) const;
    /// The memory at an address of the front end, in one region; null when not all of it is there.
    uint8_t* at_user_address(uint64_t address, uint64_t length) const;

    size_t region_count() const { return regions_.size(); }
    /// Did the front end cut off a file, so that a part was missing when it was touched?
    bool is_lost() const;

private:
    struct Mapped {
        MemoryRegion region;
        MappedFile file;
        uint8_t* host = nullptr; ///< where region.guest_address is
    };

    const Mapped* find(uint64_t guest_address) const;
    Status check(const MemoryRegion& region) const;

    std::vector<std::shared_ptr<Mapped>> regions_;
    mutable size_t last_found_ = 0; ///< used by one thread
};

} // namespace zoneio
