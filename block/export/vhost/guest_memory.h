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

/// Copies from memory that another process may change at the same time. The copy does not change, and the source is not
/// read again.
inline void copy_once(void* target, const void* source, size_t length) {
    __builtin_memcpy(target, source, length);
    asm volatile("" : : "r"(target) : "memory"); // keeps the compiler from reading the source again
}

/// A range of a guest's memory, with its addresses in the guest and in the front end.
struct MemoryRegion {
    uint64_t guest_address = 0;
    uint64_t size = 0;
    uint64_t user_address = 0;
    uint64_t file_offset = 0;

    bool operator==(const MemoryRegion&) const = default;
};

/// The shared memory of a front end: mapped ranges of files. It does not change while in use. Requests keep it alive.
class GuestMemory {
public:
    /// More than front ends use. Each region needs a mapping.
    static constexpr size_t max_regions = 32;

    /// Maps another region. EINVAL if it is empty, wraps around, overlaps another one or exceeds its file.
    Status add(const MemoryRegion& region, const FileDescriptor& file);
    /// The same memory with one region added, or removed. EINVAL as for add(), or if there is no such region.
    Result<std::shared_ptr<GuestMemory>> with(const MemoryRegion& region, const FileDescriptor& file) const;
    Result<std::shared_ptr<GuestMemory>> without(const MemoryRegion& region) const;

    /// Appends the memory of a range of guest addresses, which may span adjacent regions. False if a part is missing.
    bool translate(uint64_t guest_address, uint64_t length, std::vector<iovec>& segments) const;
    /// Copies from guest addresses. False if a part is missing.
    bool read(uint64_t guest_address, void* target, size_t length) const;
    /// The memory at an address of the front end, within one region. Null if a part is missing.
    uint8_t* at_user_address(uint64_t address, uint64_t length) const;

    size_t region_count() const { return regions_.size(); }
    /// True if the front end has truncated a file, so that an access found no memory.
    bool is_lost() const;

private:
    struct Mapped {
        MemoryRegion region;
        MappedFile file;
        uint8_t* host = nullptr; ///< address of region.guest_address in this process
    };

    const Mapped* find(uint64_t guest_address) const;
    Status check(const MemoryRegion& region) const;

    std::vector<std::shared_ptr<Mapped>> regions_;
    mutable size_t last_found_ = 0; ///< used by one thread only
};

} // namespace zoneio
