// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/vring.h"

#include <atomic>
#include <bit>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr uint16_t flag_next = 1;
constexpr uint16_t flag_write = 2;
constexpr uint16_t flag_indirect = 4;
/// Available ring: do not signal. Used ring: do not notify.
constexpr uint16_t flag_quiet = 1;

constexpr uint64_t ring_header = 4; ///< flags and index
constexpr uint64_t available_entry = 2;
constexpr uint64_t used_entry = 8;

std::atomic_ref<uint16_t> word_at(uint8_t* memory) {
    return std::atomic_ref<uint16_t>(*reinterpret_cast<uint16_t*>(memory));
}

bool is_aligned(const uint8_t* memory, uintptr_t alignment) {
    return reinterpret_cast<uintptr_t>(memory) % alignment == 0;
}

} // namespace

struct Vring::Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

Status Vring::configure(uint16_t size, const Addresses& addresses, std::shared_ptr<const GuestMemory> memory, bool event_index) {
    if (memory == nullptr) {
        return Status::invalid("a ring before there is memory");
    }
    if (!std::has_single_bit(size) || size > max_size) {
        return Status::invalid(fmt::format("a ring of {} entries", size));
    }
    // The event index follows the entries, even if it is not used.
    const uint64_t index_bytes = sizeof(uint16_t);
    uint8_t* const descriptors = memory->at_user_address(addresses.descriptors, uint64_t{size} * sizeof(Descriptor));
    uint8_t* const available =
        memory->at_user_address(addresses.available, ring_header + uint64_t{size} * available_entry + index_bytes);
    uint8_t* const used = memory->at_user_address(addresses.used, ring_header + uint64_t{size} * used_entry + index_bytes);
    if (descriptors == nullptr || available == nullptr || used == nullptr) {
        return Status::invalid("a ring outside the shared memory");
    }
    if (!is_aligned(descriptors, 16) || !is_aligned(available, 2) || !is_aligned(used, 4)) {
        return Status::invalid("a ring that is not aligned");
    }
    size_ = size;
    event_index_ = event_index;
    descriptors_ = descriptors;
    available_ = available;
    used_ = used;
    memory_ = std::move(memory);
    used_index_ = word_at(used_ + 2).load(std::memory_order_relaxed);
    signalled_ = used_index_;
    problem_.clear();
    return {};
}

void Vring::release() {
    descriptors_ = available_ = used_ = nullptr;
    memory_.reset();
}

Vring::Pop Vring::fail(std::string problem) {
    problem_ = std::move(problem);
    return Pop::broken;
}

uint16_t Vring::available_index() const {
    return word_at(available_ + 2).load(std::memory_order_acquire);
}

uint16_t Vring::waiting() const {
    return is_configured() ? static_cast<uint16_t>(available_index() - next_available_) : uint16_t{0};
}

Vring::Pop Vring::pop(VringChain& chain) {
    if (!problem_.empty()) {
        return Pop::broken;
    }
    const uint16_t available = available_index();
    const auto waiting = static_cast<uint16_t>(available - next_available_);
    if (waiting == 0) {
        return Pop::empty;
    }
    if (waiting > size_) {
        return fail(fmt::format("the available index jumps from {} to {}", next_available_, available));
    }
    const uint64_t entry = next_available_ & (size_ - 1U);
    const uint16_t head = word_at(available_ + ring_header + entry * available_entry).load(std::memory_order_relaxed);
    const Pop found = read_chain(head, chain);
    if (found == Pop::chain) {
        next_available_++;
    }
    return found;
}

/// Walks through the descriptors of a chain, in the ring or in an indirect table.
class Vring::Walk {
public:
    Walk(const Vring& ring, VringChain& chain) : ring_(ring), chain_(chain) {}

    /// Reads the chain that starts at `head`. Returns an error text, or an empty one.
    std::string take(uint16_t head) {
        for (uint32_t index = head;;) {
            if (index >= ring_.size_) {
                return fmt::format("descriptor {} in a ring of {}", index, ring_.size_);
            }
            Descriptor descriptor;
            copy_once(&descriptor, ring_.descriptors_ + uint64_t{index} * sizeof(Descriptor), sizeof(Descriptor));
            if (++taken_ > ring_.size_) {
                return "a chain with a loop";
            }
            std::string problem = (descriptor.flags & flag_indirect) != 0 ? take_table(descriptor) : add(descriptor);
            if (!problem.empty() || (descriptor.flags & flag_next) == 0) {
                return problem;
            }
            index = descriptor.next;
        }
    }

private:
    std::string take_table(const Descriptor& table) {
        if ((table.flags & flag_next) != 0) {
            return "an indirect descriptor with a next one";
        }
        const uint64_t count = table.length / sizeof(Descriptor);
        if (count == 0 || table.length % sizeof(Descriptor) != 0 || count > max_chain) {
            return fmt::format("an indirect table of {} bytes", table.length);
        }
        uint64_t index = 0;
        for (uint64_t taken = 1;; taken++) {
            Descriptor descriptor;
            if (!ring_.memory_->read(table.address + index * sizeof(Descriptor), &descriptor, sizeof(Descriptor))) {
                return fmt::format("an indirect table at {:#x}, outside the shared memory", table.address);
            }
            if ((descriptor.flags & flag_indirect) != 0) {
                return "an indirect table inside another";
            }
            std::string problem = add(descriptor);
            if (!problem.empty() || (descriptor.flags & flag_next) == 0) {
                return problem;
            }
            index = descriptor.next;
            if (index >= count) {
                return fmt::format("descriptor {} in an indirect table of {}", index, count);
            }
            if (taken >= count) {
                return "a chain with a loop";
            }
        }
    }

    std::string add(const Descriptor& descriptor) {
        const bool is_writable = (descriptor.flags & flag_write) != 0;
        if (!is_writable && !chain_.writable.empty()) {
            return "memory to read behind memory to write";
        }
        std::vector<iovec>& segments = is_writable ? chain_.writable : chain_.readable;
        if (!ring_.memory_->translate(descriptor.address, descriptor.length, segments)) {
            return fmt::format("a descriptor of {} bytes at {:#x}, outside the shared memory", descriptor.length,
                               descriptor.address);
        }
        (is_writable ? chain_.writable_bytes : chain_.readable_bytes) += descriptor.length;
        return {};
    }

    const Vring& ring_;
    VringChain& chain_;
    uint32_t taken_ = 0; ///< number of descriptors taken from the ring itself
};

Vring::Pop Vring::read_chain(uint16_t head, VringChain& chain) {
    chain.head = head;
    chain.readable.clear();
    chain.writable.clear();
    chain.readable_bytes = chain.writable_bytes = 0;
    std::string problem = Walk(*this, chain).take(head);
    return problem.empty() ? Pop::chain : fail(std::move(problem));
}

void Vring::push(uint16_t head, uint32_t bytes) {
    uint8_t* const entry = used_ + ring_header + (used_index_ & (size_ - 1U)) * used_entry;
    const uint32_t element[2] = {head, bytes};
    __builtin_memcpy(entry, element, sizeof(element));
    used_index_++;
    word_at(used_ + 2).store(used_index_, std::memory_order_release);
}

bool Vring::wants_signal() {
    const uint16_t before = std::exchange(signalled_, used_index_);
    const auto pushed = static_cast<uint16_t>(used_index_ - before);
    if (pushed == 0) {
        return false;
    }
    // The driver stores the event index and reads the used index; this side does the opposite.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!event_index_) {
        return (word_at(available_).load(std::memory_order_relaxed) & flag_quiet) == 0;
    }
    const uint16_t event = word_at(available_ + ring_header + uint64_t{size_} * available_entry).load(std::memory_order_relaxed);
    // True if the used index has passed the index for which the driver waits.
    return static_cast<uint16_t>(used_index_ - event - 1) < pushed;
}

void Vring::no_notify() {
    if (!event_index_) {
        word_at(used_).store(flag_quiet, std::memory_order_relaxed);
    }
}

bool Vring::notify_again() {
    if (event_index_) {
        word_at(used_ + ring_header + uint64_t{size_} * used_entry).store(next_available_, std::memory_order_relaxed);
    } else {
        word_at(used_).store(0, std::memory_order_relaxed);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return available_index() != next_available_;
}

} // namespace zoneio
