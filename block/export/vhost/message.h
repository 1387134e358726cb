// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// Requests of the vhost-user protocol that zoneio supports.
enum class VhostRequest : uint32_t {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    reset_owner = 4,
    set_mem_table = 5,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    set_vring_err = 14,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
    get_config = 24,
    set_config = 25,
    get_inflight_fd = 31,
    set_inflight_fd = 32,
    get_max_mem_slots = 36,
    add_mem_region = 37,
    remove_mem_region = 38,
};

/// Bits of the protocol features.
inline constexpr uint64_t vhost_protocol_mq = 1U << 0;
inline constexpr uint64_t vhost_protocol_reply_ack = 1U << 3;
inline constexpr uint64_t vhost_protocol_config = 1U << 9;
inline constexpr uint64_t vhost_protocol_inflight_shmfd = 1U << 12;
inline constexpr uint64_t vhost_protocol_configure_mem_slots = 1U << 15;

/// Payloads in their wire format.
struct VhostVringState {
    uint32_t index;
    uint32_t value;
};
struct VhostVringAddress {
    uint32_t index;
    uint32_t flags;
    uint64_t descriptors;
    uint64_t used;
    uint64_t available;
    uint64_t log;
};
struct VhostMemoryRegion {
    uint64_t guest_address;
    uint64_t size;
    uint64_t user_address;
    uint64_t file_offset;
};
struct VhostConfigHeader {
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
};
struct VhostInflight {
    uint64_t size;
    uint64_t offset;
    uint16_t queues;
    uint16_t queue_size;
    uint32_t padding;
};
static_assert(sizeof(VhostVringAddress) == 40 && sizeof(VhostMemoryRegion) == 32 && sizeof(VhostInflight) == 24);

/// A message of the front end.
struct VhostMessage {
    static constexpr size_t max_payload = 4096;
    static constexpr size_t max_descriptors = 32;

    uint32_t request = 0;
    bool wants_reply = false;
    std::vector<uint8_t> payload;
    std::vector<FileDescriptor> descriptors;

    /// The start of the payload as a struct. REQUIRES: the payload is long enough.
    template <typename T>
    T as(size_t at = 0) const {
        T value;
        memcpy(&value, payload.data() + at, sizeof(value));
        return value;
    }
};

/// Connection to a front end. Never waits.
class VhostSocket {
public:
    enum class Read : uint8_t { message, incomplete, closed, broken };

    explicit VhostSocket(FileDescriptor socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }
    /// Reads the next message, or the part of it that has arrived. `broken`: this is not vhost-user, see problem().
    Read read(VhostMessage& message);
    /// Answers a request. EAGAIN if the front end does not read.
    Status reply(uint32_t request, std::span<const uint8_t> payload, int descriptor = -1);
    const std::string& problem() const { return problem_; }

private:
    static constexpr size_t header_bytes = 12;

    Read fail(std::string problem);
    /// Length of the current message in bytes; that of the header while it is incomplete.
    size_t wanted() const;
    Read receive();
    bool check_header();

    FileDescriptor socket_;
    std::array<uint8_t, header_bytes + VhostMessage::max_payload> buffer_;
    size_t filled_ = 0;
    std::vector<FileDescriptor> descriptors_;
    std::string problem_;
};

} // namespace zoneio
