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

/// Memory shared with the front end in which a back end notes what it has taken from the rings and not answered, so that
/// the next one, after it was killed, goes on where it ended (vhost-user: Inflight I/O tracking).
///
/// The front end only keeps it; what is read from it is checked all the same. Beside what the protocol describes there is
/// a place for each descriptor where appends note the zone's write pointer before they begin.
class InflightMemory {
public:
    /// Makes it for so many queues. ENOMEM, or the errno of making the file.
    static Result<InflightMemory> make(uint16_t queues, uint16_t queue_size);
    /// Takes over what the front end has kept. EINVAL when it is not what make() makes.
    static Result<InflightMemory> take(const VhostInflight& what, const FileDescriptor& file);

    int fd() const { return file_.get(); }
    VhostInflight description() const;
    uint16_t queues() const { return queues_; }
    uint16_t queue_size() const { return queue_size_; }

    /// A ring is about to be used, whose used index is that; returns the heads of the requests that were taken and not
    /// answered, in the order in which they were taken.
    std::vector<uint16_t> begin(uint16_t queue, uint16_t used_index);
    /// A request was taken from a ring.
    void taken(uint16_t queue, uint16_t head);
    /// A request is about to be answered, and was: around Vring::push.
    void answering(uint16_t queue, uint16_t head);
    void answered(uint16_t queue, uint16_t head, uint16_t used_index);
    /// An append is about to be made to a zone whose write pointer, in bytes, is there.
    void note_append(uint16_t queue, uint16_t head, uint64_t write_pointer);
    /// Where the zone's write pointer was when an append taken before was about to be made; nothing when it was not.
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
