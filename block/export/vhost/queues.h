// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/call_descriptor.h"
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

/// The rings of a front end, and the requests taken from them.
///
/// A request is answered in the memory that was shared when it was taken, and keeps that memory alive. For one thread.
class VhostQueues {
public:
    /// `epoll` receives kicks, with `kick_tag` plus the queue as data. `on_problem` receives violations of drivers.
    VhostQueues(BackendPort& port, VirtioBlk& device, uint16_t count, int epoll, uint64_t kick_tag,
                std::function<void(std::string)> on_problem);

    uint16_t count() const { return static_cast<uint16_t>(queues_.size()); }

    // Settings of the front end. REQUIRES: `queue` is below count(). EINVAL for those that a running ring cannot change.
    Status set_size(uint32_t queue, uint32_t size);
    Status set_addresses(uint32_t queue, const Vring::Addresses& addresses);
    Status set_base(uint32_t queue, uint32_t base);
    /// A valid descriptor starts the ring. Its requests are served once it is also enabled.
    Status set_kick(uint32_t queue, FileDescriptor kick);
    void set_call(uint32_t queue, FileDescriptor call) { queues_[queue].call = CallDescriptor(std::move(call)); }
    void set_err(uint32_t queue, FileDescriptor err) { queues_[queue].err = CallDescriptor(std::move(err)); }
    void set_enabled(uint32_t queue, bool enabled);
    /// Finishes the requests of all rings and stops this one. Returns the index at which it continues.
    uint16_t stop(uint32_t queue);
    /// EINVAL if a running ring is not within the memory.
    Status set_memory(std::shared_ptr<const GuestMemory> memory);
    const std::shared_ptr<const GuestMemory>& memory() const { return memory_; }
    Status set_inflight(InflightMemory inflight);
    /// REQUIRES: no ring is running, or `on` stays.
    void set_event_index(bool on) { event_index_ = on; }
    /// True if a ring has been started and not stopped.
    bool is_running() const;

    /// Handles a kick of a driver.
    void on_kick(uint32_t queue);
    /// Handles an event of the port.
    void on_port();
    /// Continues with rings that were interrupted so that others had their turn. False if there are none.
    bool serve_rest();
    bool has_rest() const { return has_rest_; }
    /// Finishes all requests and drops all settings of the front end.
    void reset();

private:
    struct Queue {
        Vring ring;
        Vring::Addresses addresses;
        uint16_t size = 0;
        uint16_t base = 0;
        FileDescriptor kick;
        CallDescriptor call;
        CallDescriptor err;
        bool is_started = false;
        bool is_enabled = false;
        bool has_rest = false;
        bool is_ordered = false; ///< requests are answered in the order in which they were taken
        uint16_t repeats = 0;    ///< number of next requests that an earlier back end may have taken already
        unsigned in_flight = 0;
        uint64_t taken = 0;
        uint64_t answered = 0;
        std::vector<std::unique_ptr<VirtioBlkRequest>> early; ///< requests that finished out of order; used if
                                                              ///< is_ordered

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
    std::vector<Pointer> active_; ///< started and not answered
    std::vector<Pointer> parked_; ///< waiting until an earlier request has moved the write pointer of their zone
    std::vector<Pointer> finished_;
    std::vector<Pointer> spares_;
};

} // namespace zoneio
