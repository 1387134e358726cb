// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/inflight.h"

#include "block/export/vhost/guest_memory.h"
#include "block/export/vhost/vring.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

constexpr uint16_t layout_version = 1;
constexpr uint16_t most_queues = 1024;

/// Keeps the order of stores. After a kill, stores are seen in program order unless the compiler has changed it.
void in_order() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

} // namespace

struct InflightMemory::Descriptor {
    uint8_t is_taken;
    uint8_t padding[5];
    uint16_t next;
    uint64_t counter;
};

struct InflightMemory::Queue {
    uint64_t features;
    uint16_t version;
    uint16_t size;
    uint16_t last_answered;
    uint16_t used_index;
};

namespace {

constexpr uint64_t queue_header_bytes = 16;
constexpr uint64_t descriptor_bytes = 16;

/// Size of a queue's part that the protocol defines.
uint64_t queue_bytes(uint16_t queue_size) {
    return queue_header_bytes + queue_size * descriptor_bytes;
}

uint64_t memory_bytes(uint16_t queues, uint16_t queue_size) {
    return queues * (queue_bytes(queue_size) + queue_size * sizeof(uint64_t));
}

Status check_shape(uint16_t queues, uint16_t queue_size) {
    return queues > 0 && queues <= most_queues && queue_size > 0 && queue_size <= Vring::max_size
               ? Status()
               : Status::invalid(fmt::format("inflight memory for {} queues of {}", queues, queue_size));
}

} // namespace

Status InflightMemory::map() {
    static_assert(sizeof(Queue) == queue_header_bytes && sizeof(Descriptor) == descriptor_bytes);
    memory_ = std::make_unique<MappedFile>();
    const uint64_t bytes = offset_ + memory_bytes(queues_, queue_size_);
    Status status = memory_->map(file_.get(), bytes, false, 0, MappedFile::Pages::when_touched);
    return status.ok() ? std::move(status) : Status::error(status.code(), "inflight memory: " + status.message());
}

Result<InflightMemory> InflightMemory::make(uint16_t queues, uint16_t queue_size) {
    Status status = check_shape(queues, queue_size);
    if (!status.ok()) {
        return status;
    }
    InflightMemory made;
    made.queues_ = queues;
    made.queue_size_ = queue_size;
    made.file_ = FileDescriptor(memfd_create("inflight", MFD_CLOEXEC));
    if (!made.file_.valid() || ftruncate(made.file_.get(), static_cast<off_t>(memory_bytes(queues, queue_size))) < 0) {
        return Status::from_errno(errno);
    }
    status = made.map();
    if (!status.ok()) {
        return status;
    }
    return made;
}

Result<InflightMemory> InflightMemory::take(const VhostInflight& what, const FileDescriptor& file) {
    Status status = check_shape(what.queues, what.queue_size);
    if (!status.ok()) {
        return status;
    }
    struct stat st{};
    const uint64_t bytes = memory_bytes(what.queues, what.queue_size);
    const bool fits = fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode) && what.size >= bytes &&
                      what.offset % sizeof(uint64_t) == 0 && what.offset <= static_cast<uint64_t>(st.st_size) &&
                      bytes <= static_cast<uint64_t>(st.st_size) - what.offset;
    if (!fits) {
        return Status::invalid(fmt::format("inflight memory of {} bytes for {} queues of {}", what.size, what.queues,
                                           what.queue_size));
    }
    InflightMemory taken;
    taken.queues_ = what.queues;
    taken.queue_size_ = what.queue_size;
    taken.offset_ = what.offset;
    taken.file_ = FileDescriptor(dup(file.get()));
    status = taken.map();
    if (!status.ok()) {
        return status;
    }
    return taken;
}

VhostInflight InflightMemory::description() const {
    return {memory_bytes(queues_, queue_size_), offset_, queues_, queue_size_, 0};
}

InflightMemory::Queue* InflightMemory::queue_at(uint16_t queue) const {
    return reinterpret_cast<Queue*>(memory_->data() + offset_ + queue * queue_bytes(queue_size_));
}

InflightMemory::Descriptor& InflightMemory::descriptor(uint16_t queue, uint16_t head) const {
    return reinterpret_cast<Descriptor*>(queue_at(queue) + 1)[head];
}

uint64_t* InflightMemory::append_place(uint16_t queue, uint16_t head) const {
    uint8_t* const places = memory_->data() + offset_ + queues_ * queue_bytes(queue_size_);
    return reinterpret_cast<uint64_t*>(places) + uint64_t{queue} * queue_size_ + head;
}

std::vector<uint16_t> InflightMemory::begin(uint16_t queue, uint16_t used_index) {
    Queue& state = *queue_at(queue);
    if (state.version != layout_version || state.size != queue_size_) {
        state = {0, layout_version, queue_size_, 0, used_index};
        return {};
    }
    if (state.used_index != used_index) {
        // The process was killed after an answer and before recording it.
        uint16_t last = 0;
        copy_once(&last, &state.last_answered, sizeof(last));
        if (last < queue_size_) {
            descriptor(queue, last).is_taken = 0;
        }
        state.used_index = used_index;
    }
    std::vector<std::pair<uint64_t, uint16_t>> taken;
    for (uint16_t head = 0; head < queue_size_; head++) {
        const Descriptor& place = descriptor(queue, head);
        if (place.is_taken == 1) {
            taken.emplace_back(place.counter, head);
            counter_ = std::max(counter_, place.counter);
        }
    }
    std::sort(taken.begin(), taken.end());
    std::vector<uint16_t> heads;
    heads.reserve(taken.size());
    for (const auto& [counter, head] : taken) {
        heads.push_back(head);
    }
    return heads;
}

void InflightMemory::taken(uint16_t queue, uint16_t head) {
    Descriptor& place = descriptor(queue, head);
    *append_place(queue, head) = 0;
    place.counter = ++counter_;
    in_order();
    place.is_taken = 1;
}

void InflightMemory::answering(uint16_t queue, uint16_t head) {
    queue_at(queue)->last_answered = head;
    in_order();
}

void InflightMemory::answered(uint16_t queue, uint16_t head, uint16_t used_index) {
    in_order();
    descriptor(queue, head).is_taken = 0;
    in_order();
    queue_at(queue)->used_index = used_index;
}

void InflightMemory::note_append(uint16_t queue, uint16_t head, uint64_t write_pointer) {
    // 0 means that nothing is recorded.
    *append_place(queue, head) = write_pointer + 1;
    in_order();
}

std::optional<uint64_t> InflightMemory::append_pointer(uint16_t queue, uint16_t head) const {
    const uint64_t noted = *append_place(queue, head);
    return noted == 0 ? std::nullopt : std::optional(noted - 1);
}

} // namespace zoneio
