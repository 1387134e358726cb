// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/appends.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

/// Record of one tag.
struct UblkAppends::Entry {
    std::atomic<uint64_t> is_valid; ///< 1 once the other fields are set
    Note note;
};

UblkAppends::UblkAppends(uint32_t device, std::string folder)
    : path_(fmt::format("{}/zoneio-ublk{}.appends", folder, device)) {}

Status UblkAppends::make(uint16_t queues, uint16_t depth) {
    (void)unlink(path_.c_str());
    file_ = FileDescriptor(open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const auto bytes = static_cast<off_t>(size_t{queues} * depth * sizeof(Entry));
    if (!file_.valid() || posix_fallocate(file_.get(), 0, bytes) != 0) {
        return Status::from_errno(errno);
    }
    return map(queues, depth);
}

Status UblkAppends::take(uint16_t queues, uint16_t depth) {
    struct stat facts{};
    file_ = FileDescriptor(open(path_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!file_.valid() || fstat(file_.get(), &facts) < 0) {
        return Status::from_errno(errno);
    }
    if (!S_ISREG(facts.st_mode) || static_cast<uint64_t>(facts.st_size) != size_t{queues} * depth * sizeof(Entry)) {
        return Status::from_errno(EINVAL);
    }
    return map(queues, depth);
}

Status UblkAppends::map(uint16_t queues, uint16_t depth) {
    auto memory = std::make_unique<MappedFile>();
    Status status = memory->map(file_.get(), size_t{queues} * depth * sizeof(Entry), false);
    if (status.ok()) {
        memory_ = std::move(memory);
        depth_ = depth;
    }
    return status;
}

void UblkAppends::remove() {
    if (memory_) {
        (void)unlink(path_.c_str());
    }
}

UblkAppends::Entry* UblkAppends::entry(uint16_t queue, uint16_t tag) const {
    return memory_ ? reinterpret_cast<Entry*>(memory_->data()) + size_t{queue} * depth_ + tag : nullptr;
}

void UblkAppends::set(uint16_t queue, uint16_t tag, const Note& note) {
    if (Entry* const place = entry(queue, tag)) {
        place->note = note;
        place->is_valid.store(1, std::memory_order_release);
    }
}

void UblkAppends::clear(uint16_t queue, uint16_t tag) {
    if (Entry* const place = entry(queue, tag)) {
        place->is_valid.store(0, std::memory_order_release);
    }
}

std::optional<UblkAppends::Note> UblkAppends::get(uint16_t queue, uint16_t tag) const {
    const Entry* const place = entry(queue, tag);
    const bool is_there = place != nullptr && place->is_valid.load(std::memory_order_acquire) == 1;
    return is_there ? std::optional(place->note) : std::nullopt;
}

} // namespace zoneio
