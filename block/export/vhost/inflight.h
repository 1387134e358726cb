// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/message.h"
#include "block/base/file_descriptor.h"
#include "block/base/mapped_file.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace zoneio {

/// Memory shared with the front end in which a back end records requests that it has taken from the rings and not
/// answered. After a kill, the next back end continues from it (vhost-user: Inflight I/O tracking).
///
/// The front end only stores it; everything read from it is checked all the same. In addition to the protocol, each
/// descriptor has a field in which an append records the zone's write pointer before it starts.
class InflightMemory {
public:
    /// Creates the memory. ENOMEM, or the errno of creating the file.
    static Result<InflightMemory> make(uint16_t queues, uint16_t queue_size);
    /// Maps the memory that the front end has kept. EINVAL if it does not have the layout that make() creates.
    static Result<InflightMemory> take(const VhostInflight& what, const FileDescriptor& file);

    int fd() const { return file_.get(); }
    VhostInflight description() const;
    uint16_t queues() const { return queues_; }
    uint16_t queue_size() const { return queue_size_; }
    /// True if the front end has truncated the file, so that an access found no memory.
    bool is_lost() const { return memory_->is_lost(); }

    /// Prepares a ring for use. `used_index`: of the ring. Returns the heads of unanswered requests in the order in
    /// which they were taken.
    std::vector<uint16_t> begin(uint16_t queue, uint16_t used_index);
    /// Records that a request was taken from a ring.
    void taken(uint16_t queue, uint16_t head);
    /// Call these before and after answering a request with Vring::push.
    void answering(uint16_t queue, uint16_t head);
    void answered(uint16_t queue, uint16_t head, uint16_t used_index);
    /// Records the zone's write pointer (bytes) before an append starts.
    void note_append(uint16_t queue, uint16_t head, uint64_t write_pointer);
    /// The write pointer that an earlier append has recorded. Empty if it has not started.
    std::optional<uint64_t> append_pointer(uint16_t queue, uint16_t head) const;

private:
    struct Descriptor;
    struct Queue;

    Status map();
    Queue* queue_at(uint16_t queue) const;
    Descriptor& descriptor(uint16_t queue, uint16_t head) const;
    uint64_t* append_place(uint16_t queue, uint16_t head) const;

    FileDescriptor file_;
    std::unique_ptr<MappedFile> memory_;
    uint64_t offset_ = 0;
    uint16_t queues_ = 0;
    uint16_t queue_size_ = 0;
    uint64_t counter_ = 0;
};

} // namespace zoneio
