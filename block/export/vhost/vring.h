// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/guest_memory.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// One request of a ring: its memory, which has been checked, what the driver wrote before what the device writes.
struct VringChain {
    uint16_t head = 0; ///< names it in the used ring
    std::vector<iovec> readable;
    std::vector<iovec> writable;
    uint64_t readable_bytes = 0;
    uint64_t writable_bytes = 0;
};

/// The device's side of a split virtqueue (virtio 1.2, 2.7), with indirect descriptors and event indexes.
///
/// Nothing in the memory is trusted, and everything is read once. Used by one thread.
class Vring {
public:
    /// Where the parts are, addresses of the front end.
    struct Addresses {
        uint64_t descriptors = 0;
        uint64_t available = 0;
        uint64_t used = 0;
    };
    static constexpr uint16_t max_size = 1024;
    /// The longest chain, indirect descriptors counted.
    static constexpr size_t max_chain = 1024;

    enum class Pop : uint8_t { chain, empty, broken };

    /// The size is a power of two up to max_size. EINVAL when a part is not within a region or not aligned.
    Status configure(uint16_t size, const Addresses& addresses, std::shared_ptr<const GuestMemory> memory, bool event_index);
    /// Where to go on: the index in the available ring.
    void start(uint16_t next_available) { next_available_ = next_available; }
    bool is_configured() const { return descriptors_ != nullptr; }
    /// Nothing of the memory is touched from here on.
    void release();

    /// The next request. `broken`: the driver broke the rules, see problem(); nothing more is to be had.
    Pop pop(VringChain& chain);
    /// The request at the head of a chain that was popped before, once more.
    Pop read_chain(uint16_t head, VringChain& chain);
    /// Is there one more?
    bool has_next() const { return waiting() > 0; }
    /// How many there are.
    uint16_t waiting() const;
    /// Gives a request back, of whose writable memory `bytes` were written.
    void push(uint16_t head, uint32_t bytes);
    /// Does the driver want to be told of what was pushed since the last call?
    bool wants_signal();
    /// Asks the driver to tell of new requests, or not to. True: there are some by now, which it may not have told of.
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
    uint16_t signalled_ = 0; ///< used_index_ at the last wants_signal()
    std::string problem_;
};

} // namespace zoneio
