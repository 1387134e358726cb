// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/inflight.h"
#include "block/export/vhost/virtio_blk.h"
#include "block/export/vhost/vring.h"
#include "block/base/file_descriptor.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// The rings of a front end and the requests that were taken from them.
///
/// Requests are answered into the memory that was shared when they were taken, which they keep. Used by one thread.
class VhostQueues {
public:
    /// `epoll` tells of kicks, with `kick_tag` plus the queue as data. `on_problem` is told what a driver did wrong.
    VhostQueues(BackendPort& port, VirtioBlk& device, uint16_t count, int epoll, uint64_t kick_tag,
                std::function<void(std::string)> on_problem);

    uint16_t count() const { return static_cast<uint16_t>(queues_.size()); }

    // What a front end sets; `queue` is below count().
    Status set_size(uint32_t queue, uint32_t size);
    Status set_addresses(uint32_t queue, const Vring::Addresses& addresses);
    Status set_base(uint32_t queue, uint32_t base);
    /// With the descriptor the ring starts: its requests are served as soon as it is enabled, too.
    Status set_kick(uint32_t queue, FileDescriptor kick);
    void set_call(uint32_t queue, FileDescriptor call) { queues_[queue].call = std::move(call); }
    void set_err(uint32_t queue, FileDescriptor err) { queues_[queue].err = std::move(err); }
    void set_enabled(uint32_t queue, bool enabled);
    /// Finishes what was taken from all rings, and stops this one; returns where the next one goes on.
    uint16_t stop(uint32_t queue);
    /// EINVAL when a ring in use is not within it.
    Status set_memory(std::shared_ptr<const GuestMemory> memory);
    const std::shared_ptr<const GuestMemory>& memory() const { return memory_; }
    void set_inflight(InflightMemory inflight) { inflight_.emplace(std::move(inflight)); }
    void set_event_index(bool on) { event_index_ = on; }

    /// A driver tells of requests.
    void on_kick(uint32_t queue);
    /// The port has something to tell.
    void on_port();
    /// Goes on with rings that were left in the middle, so that others have their turn; false when there are none.
    bool serve_rest();
    bool has_rest() const { return has_rest_; }
    /// Finishes what was taken, and forgets everything that the front end has set.
    void reset();

private:
    struct Queue {
        Vring ring;
        Vring::Addresses addresses;
        uint16_t size = 0;
        uint16_t base = 0;
        FileDescriptor kick;
        FileDescriptor call;
        FileDescriptor err;
        bool is_started = false;
        bool is_enabled = false;
        bool has_rest = false;
        bool is_ordered = false; ///< requests are answered in the order in which they were taken
        uint16_t repeats = 0;    ///< of the next requests so many may have been taken by a back end before
        unsigned in_flight = 0;
        uint64_t taken = 0;
        uint64_t answered = 0;
        std::vector<std::unique_ptr<VirtioBlkRequest>> early; ///< finished before their turn; is_ordered

        bool is_served() const { return is_started && is_enabled; }
    };
    using Pointer = std::unique_ptr<VirtioBlkRequest>;

    Status start(uint16_t number);
    Status take_up_again(uint16_t number);
    void serve(uint16_t number);
    Pointer taken(uint16_t number, Pointer request, bool is_repeated);
    void begin(Pointer request);
    void go(Pointer request);
    bool is_moved(uint64_t zone) const;
    void unpark();
    void give_back(Pointer request);
    void answer(VirtioBlkRequest& request);
    void signal_all();
    void signal(Queue& queue);
    void break_ring(uint16_t number, const std::string& problem);
    void finish_all();
    void take_finished();
    void answer_finished();
    Pointer spare();

    BackendPort& port_;
    VirtioBlk& device_;
    std::vector<Queue> queues_;
    int epoll_;
    uint64_t kick_tag_;
    std::function<void(std::string)> on_problem_;
    std::shared_ptr<const GuestMemory> memory_;
    std::optional<InflightMemory> inflight_;
    bool event_index_ = false;
    bool has_rest_ = false;
    std::vector<Pointer> active_; ///< begun and not answered
    std::vector<Pointer> parked_; ///< wait until one before them has moved the write pointer of their zone
    std::vector<Pointer> finished_;
    std::vector<Pointer> spares_;
};

} // namespace zoneio
