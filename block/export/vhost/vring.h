// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/guest_memory.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// A request of a ring: its checked memory; the parts that the driver has written precede those for the device.
struct VringChain {
    uint16_t head = 0; ///< its index in the used ring
    std::vector<iovec> readable;
    std::vector<iovec> writable;
    uint64_t readable_bytes = 0;
    uint64_t writable_bytes = 0;
};

/// The device's side of a split virtqueue (virtio 1.2, 2.7), with indirect descriptors and event indexes.
///
/// Nothing in the memory is trusted, and everything is read only once. For one thread.
class Vring {
public:
    /// Addresses of the parts, in the front end.
    struct Addresses {
        uint64_t descriptors = 0;
        uint64_t available = 0;
        uint64_t used = 0;

        bool operator==(const Addresses&) const = default;
    };
    static constexpr uint16_t max_size = 1024;
    /// Longest chain, including indirect descriptors.
    static constexpr size_t max_chain = 1024;

    enum class Pop : uint8_t { chain, empty, broken };

    /// `size` is a power of two up to max_size. EINVAL if a part is not aligned or not within one region; the ring stays as it was.
    Status configure(uint16_t size, const Addresses& addresses, std::shared_ptr<const GuestMemory> memory, bool event_index);
    /// Sets the index in the available ring at which to start.
    void start(uint16_t next_available) { next_available_ = next_available; }
    bool is_configured() const { return descriptors_ != nullptr; }
    /// Stops all access to the memory.
    void release();

    /// Takes the next request. `broken`: the driver has violated the rules, see problem(), and nothing more can be
    /// taken.
    Pop pop(VringChain& chain);
    /// Reads the chain of an earlier request again.
    Pop read_chain(uint16_t head, VringChain& chain);
    /// True if another request is available.
    bool has_next() const { return waiting() > 0; }
    /// Number of available requests.
    uint16_t waiting() const;
    /// Answers a request. `bytes`: number of bytes written to its memory.
    void push(uint16_t head, uint32_t bytes);
    /// True if the driver wants a notification of the requests pushed since the last call.
    bool wants_signal();
    /// Turns the driver's notifications about new requests on again. True: requests may have arrived without a
    /// notification.
    bool notify_again();
    void no_notify();

    uint16_t next_available() const { return next_available_; }
    uint16_t used_index() const { return used_index_; }
    uint16_t size() const { return size_; }
    const std::string& problem() const { return problem_; }
    const std::shared_ptr<const GuestMemory>& memory() const { return memory_; }

private:
    struct Descriptor;
    class Walk;

    Pop fail(std::string problem);
    uint16_t available_index() const;

    uint16_t size_ = 0;
    bool event_index_ = false;
    uint8_t* descriptors_ = nullptr;
    uint8_t* available_ = nullptr;
    uint8_t* used_ = nullptr;
    std::shared_ptr<const GuestMemory> memory_;
    uint16_t next_available_ = 0;
    uint16_t used_index_ = 0;
    uint16_t signalled_ = 0; ///< value of used_index_ at the last wants_signal()
    std::string problem_;
};

} // namespace zoneio
