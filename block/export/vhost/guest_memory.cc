// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/guest_memory.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
    return a < b + b_size && b < a + a_size;
}

bool wraps(uint64_t begin, uint64_t size) {
    return size > UINT64_MAX - begin;
}

Status refuse(const MemoryRegion& region, std::string_view problem) {
    return Status::invalid(fmt::format("memory region of {} bytes at {:#x} {}", region.size, region.guest_address, problem));
}

} // namespace

Status GuestMemory::check(const MemoryRegion& region) const {
    if (regions_.size() >= max_regions) {
        return refuse(region, fmt::format("is one more than {}", max_regions));
    }
    if (region.size == 0) {
        return refuse(region, "is empty");
    }
    if (wraps(region.guest_address, region.size) || wraps(region.user_address, region.size) ||
        wraps(region.file_offset, region.size)) {
        return refuse(region, "goes beyond the last address");
    }
    for (const std::shared_ptr<Mapped>& other : regions_) {
        if (overlap(region.guest_address, region.size, other->region.guest_address, other->region.size) ||
            overlap(region.user_address, region.size, other->region.user_address, other->region.size)) {
            return refuse(region, "overlaps another");
        }
    }
    return {};
}

Status GuestMemory::add(const MemoryRegion& region, const FileDescriptor& file) {
    if (Status status = check(region); !status.ok()) {
        return status;
    }
    struct stat st{};
    if (fstat(file.get(), &st) < 0 || !S_ISREG(st.st_mode)) {
        return refuse(region, "is not in a file that can be mapped");
    }
    if (region.file_offset + region.size > static_cast<uint64_t>(st.st_size)) {
        return refuse(region, "is not within its file");
    }
    // A file of huge pages can be mapped only at multiples of a huge page.
    const auto block = std::max<uint64_t>(static_cast<uint64_t>(st.st_blksize), 4096);
    const uint64_t head = region.file_offset % block;
    auto mapped = std::make_shared<Mapped>();
    mapped->region = region;
    Status status = mapped->file.map(file.get(), head + region.size, false, region.file_offset - head,
                                     MappedFile::Pages::when_touched);
    if (!status.ok()) {
        return refuse(region, "cannot be mapped: " + status.message());
    }
    mapped->host = mapped->file.data() + head;
    regions_.push_back(std::move(mapped));
    return {};
}

Result<std::shared_ptr<GuestMemory>> GuestMemory::with(const MemoryRegion& region, const FileDescriptor& file) const {
    auto more = std::make_shared<GuestMemory>(*this);
    Status status = more->add(region, file);
    if (!status.ok()) {
        return status;
    }
    return more;
}

Result<std::shared_ptr<GuestMemory>> GuestMemory::without(const MemoryRegion& region) const {
    auto less = std::make_shared<GuestMemory>(*this);
    less->last_found_ = 0;
    const size_t removed = std::erase_if(less->regions_, [&](const std::shared_ptr<Mapped>& mapped) {
        const MemoryRegion& known = mapped->region;
        return known.guest_address == region.guest_address && known.size == region.size &&
               known.user_address == region.user_address;
    });
    if (removed == 0) {
        return refuse(region, "is not there to be removed");
    }
    return less;
}

const GuestMemory::Mapped* GuestMemory::find(uint64_t guest_address) const {
    const auto holds = [guest_address](const Mapped& mapped) {
        return guest_address - mapped.region.guest_address < mapped.region.size;
    };
    if (last_found_ < regions_.size() && holds(*regions_[last_found_])) {
        return regions_[last_found_].get();
    }
    for (size_t i = 0; i < regions_.size(); i++) {
        if (holds(*regions_[i])) {
            last_found_ = i;
            return regions_[i].get();
        }
    }
    return nullptr;
}

bool GuestMemory::translate(uint64_t guest_address, uint64_t length, std::vector<iovec>& segments) const {
    if (wraps(guest_address, length)) {
        return false;
    }
    while (length > 0) {
        const Mapped* const mapped = find(guest_address);
        if (mapped == nullptr) {
            return false;
        }
        const uint64_t within = guest_address - mapped->region.guest_address;
        const uint64_t part = std::min(length, mapped->region.size - within);
        segments.push_back({mapped->host + within, part});
        guest_address += part;
        length -= part;
    }
    return true;
}

bool GuestMemory::read(uint64_t guest_address, void* target, size_t length) const {
    const Mapped* const mapped = find(guest_address);
    if (mapped != nullptr && length <= mapped->region.size - (guest_address - mapped->region.guest_address)) {
        copy_once(target, mapped->host + (guest_address - mapped->region.guest_address), length);
        return true;
    }
    std::vector<iovec> parts;
    if (!translate(guest_address, length, parts)) {
        return false;
    }
    auto* to = static_cast<uint8_t*>(target);
    for (const iovec& part : parts) {
        copy_once(to, part.iov_base, part.iov_len);
        to += part.iov_len;
    }
    return true;
}

uint8_t* GuestMemory::at_user_address(uint64_t address, uint64_t length) const {
    for (const std::shared_ptr<Mapped>& mapped : regions_) {
        const uint64_t within = address - mapped->region.user_address;
        if (within < mapped->region.size && length <= mapped->region.size - within) {
            return mapped->host + within;
        }
    }
    return nullptr;
}

bool GuestMemory::is_lost() const {
    return std::any_of(regions_.begin(), regions_.end(),
                       [](const std::shared_ptr<Mapped>& mapped) { return mapped->file.is_lost(); });
}

} // namespace zoneio
