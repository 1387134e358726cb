// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/vhost/message.h"
#include "block/export/vhost/queues.h"

#include <functional>
#include <string>

namespace zoneio {

/// The vhost-user protocol on one connection: requests and settings of the front end.
///
/// For one thread. Everything that the front end sends is checked; a violation ends the connection.
class VhostUser {
public:
    /// REQUIRES: device and queues are in their reset state.
    VhostUser(FileDescriptor socket, VirtioBlk& device, VhostQueues& queues) : socket_(std::move(socket)), device_(device), queues_(queues) {}

    int fd() const { return socket_.fd(); }
    /// Handles messages that have arrived, but not so many that others wait for long. False: the connection has ended, because of
    /// a violation if problem() is not empty.
    bool on_socket();
    const std::string& problem() const { return problem_; }

private:
    struct Handler;

    /// The answer to a message.
    struct Reply {
        std::vector<uint8_t> payload;
        int descriptor = -1;
    };

    static const Handler* find_handler(uint32_t request);
    bool fail(std::string problem);
    bool handle(VhostMessage& message);
    bool send(uint32_t request, const Reply& reply);
    bool is_negotiated(uint64_t protocol_feature) const { return (protocol_features_ & protocol_feature) != 0; }

    template <typename T>
    static Reply reply_with(const T& value);
    Result<uint32_t> queue_of(uint64_t index) const;
    /// Gets the queue and the descriptor of a message. The descriptor is invalid if the message says that there is
    /// none.
    Result<uint32_t> take_queue_descriptor(VhostMessage& message, FileDescriptor& descriptor) const;

    Status get_features(VhostMessage& message, Reply& reply);
    Status set_features(VhostMessage& message, Reply& reply);
    Status get_protocol_features(VhostMessage& message, Reply& reply);
    Status set_protocol_features(VhostMessage& message, Reply& reply);
    Status do_nothing(VhostMessage& message, Reply& reply);
    Status set_mem_table(VhostMessage& message, Reply& reply);
    Status get_max_mem_slots(VhostMessage& message, Reply& reply);
    Status add_mem_region(VhostMessage& message, Reply& reply);
    Status remove_mem_region(VhostMessage& message, Reply& reply);
    Status get_queue_num(VhostMessage& message, Reply& reply);
    Status set_vring_num(VhostMessage& message, Reply& reply);
    Status set_vring_addr(VhostMessage& message, Reply& reply);
    Status set_vring_base(VhostMessage& message, Reply& reply);
    Status get_vring_base(VhostMessage& message, Reply& reply);
    Status set_vring_kick(VhostMessage& message, Reply& reply);
    Status set_vring_call(VhostMessage& message, Reply& reply);
    Status set_vring_err(VhostMessage& message, Reply& reply);
    Status set_vring_enable(VhostMessage& message, Reply& reply);
    Status get_config(VhostMessage& message, Reply& reply);
    Status set_config(VhostMessage& message, Reply& reply);
    Status get_inflight_fd(VhostMessage& message, Reply& reply);
    Status set_inflight_fd(VhostMessage& message, Reply& reply);

    VhostSocket socket_;
    VirtioBlk& device_;
    VhostQueues& queues_;
    uint64_t features_ = 0; ///< accepted
    uint64_t protocol_features_ = 0;
    std::optional<InflightMemory> made_; ///< memory that get_inflight_fd has created, kept until its reply is sent
    std::string problem_;
};

} // namespace zoneio
