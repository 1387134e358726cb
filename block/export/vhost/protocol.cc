// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/protocol.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr uint64_t ring_indirect = uint64_t{1} << 28;
constexpr uint64_t ring_event_index = uint64_t{1} << 29;
constexpr uint64_t vhost_protocol_features = uint64_t{1} << 30;
constexpr uint64_t version_1 = uint64_t{1} << 32;
constexpr uint64_t transport_features =
    ring_indirect | ring_event_index | vhost_protocol_features | version_1;

constexpr uint64_t offered_protocol_features = vhost_protocol_mq | vhost_protocol_reply_ack |
                                               vhost_protocol_config | vhost_protocol_inflight_shmfd |
                                               vhost_protocol_configure_mem_slots;

/// Flag in the index of messages with a descriptor: there is no descriptor.
constexpr uint64_t no_descriptor = 0x100;
/// Most messages that are handled before others have their turn.
constexpr unsigned most_messages = 64;
/// Longest part of the configuration that can be requested.
constexpr uint32_t most_config_bytes = 256;

Status broken(std::string problem) {
    return Status::invalid(std::move(problem));
}

MemoryRegion region_of(const VhostMemoryRegion& told) {
    return {told.guest_address, told.size, told.user_address, told.file_offset};
}

} // namespace

/// Rules for the form of a request, and its function.
struct VhostUser::Handler {
    VhostRequest request;
    std::string_view name;
    size_t least_payload;
    size_t most_payload;
    size_t least_descriptors;
    size_t most_descriptors;
    bool has_reply;
    Status (VhostUser::*handle)(VhostMessage& message, Reply& reply);
};

const VhostUser::Handler* VhostUser::find_handler(uint32_t request) {
    using Request = VhostRequest;
    constexpr size_t u64 = sizeof(uint64_t);
    constexpr size_t state = sizeof(VhostVringState);
    constexpr size_t table = 8;
    constexpr size_t region = u64 + sizeof(VhostMemoryRegion);
    constexpr size_t config = sizeof(VhostConfigHeader);
    constexpr size_t inflight = 20; // without padding
    static constexpr Handler handlers[] = {
        {Request::get_features, "GET_FEATURES", 0, 0, 0, 0, true, &VhostUser::get_features},
        {Request::set_features, "SET_FEATURES", u64, u64, 0, 0, false, &VhostUser::set_features},
        {Request::set_owner, "SET_OWNER", 0, 0, 0, 0, false, &VhostUser::do_nothing},
        {Request::reset_owner, "RESET_OWNER", 0, 0, 0, 0, false, &VhostUser::do_nothing},
        {Request::set_mem_table, "SET_MEM_TABLE", table, table + GuestMemory::max_regions * sizeof(VhostMemoryRegion), 0,
         GuestMemory::max_regions, false, &VhostUser::set_mem_table},
        {Request::set_vring_num, "SET_VRING_NUM", state, state, 0, 0, false, &VhostUser::set_vring_num},
        {Request::set_vring_addr, "SET_VRING_ADDR", sizeof(VhostVringAddress), sizeof(VhostVringAddress), 0, 0, false,
         &VhostUser::set_vring_addr},
        {Request::set_vring_base, "SET_VRING_BASE", state, state, 0, 0, false, &VhostUser::set_vring_base},
        {Request::get_vring_base, "GET_VRING_BASE", state, state, 0, 0, true, &VhostUser::get_vring_base},
        {Request::set_vring_kick, "SET_VRING_KICK", u64, u64, 0, 1, false, &VhostUser::set_vring_kick},
        {Request::set_vring_call, "SET_VRING_CALL", u64, u64, 0, 1, false, &VhostUser::set_vring_call},
        {Request::set_vring_err, "SET_VRING_ERR", u64, u64, 0, 1, false, &VhostUser::set_vring_err},
        {Request::get_protocol_features, "GET_PROTOCOL_FEATURES", 0, 0, 0, 0, true, &VhostUser::get_protocol_features},
        {Request::set_protocol_features, "SET_PROTOCOL_FEATURES", u64, u64, 0, 0, false, &VhostUser::set_protocol_features},
        {Request::get_queue_num, "GET_QUEUE_NUM", 0, 0, 0, 0, true, &VhostUser::get_queue_num},
        {Request::set_vring_enable, "SET_VRING_ENABLE", state, state, 0, 0, false, &VhostUser::set_vring_enable},
        {Request::get_config, "GET_CONFIG", config, config + most_config_bytes, 0, 0, true, &VhostUser::get_config},
        {Request::set_config, "SET_CONFIG", config, config + most_config_bytes, 0, 0, false, &VhostUser::set_config},
        {Request::get_inflight_fd, "GET_INFLIGHT_FD", inflight, sizeof(VhostInflight), 0, 0, true, &VhostUser::get_inflight_fd},
        {Request::set_inflight_fd, "SET_INFLIGHT_FD", inflight, sizeof(VhostInflight), 1, 1, false,
         &VhostUser::set_inflight_fd},
        {Request::get_max_mem_slots, "GET_MAX_MEM_SLOTS", 0, 0, 0, 0, true, &VhostUser::get_max_mem_slots},
        {Request::add_mem_region, "ADD_MEM_REG", region, region, 1, 1, false, &VhostUser::add_mem_region},
        {Request::remove_mem_region, "REM_MEM_REG", region, region, 0, 1, false, &VhostUser::remove_mem_region},
    };
    const auto* const found = std::find_if(std::begin(handlers), std::end(handlers), [request](const Handler& handler) {
        return static_cast<uint32_t>(handler.request) == request;
    });
    return found == std::end(handlers) ? nullptr : found;
}

bool VhostUser::fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
}

bool VhostUser::on_socket() {
    for (unsigned count = 0; count < most_messages; count++) {
        VhostMessage message;
        switch (socket_.read(message)) {
        case VhostSocket::Read::message: break;
        case VhostSocket::Read::incomplete: return true;
        case VhostSocket::Read::closed: return false;
        case VhostSocket::Read::broken: return fail(socket_.problem());
        }
        if (!handle(message)) {
            return false;
        }
    }
    return true;
}

bool VhostUser::handle(VhostMessage& message) {
    const Handler* const handler = find_handler(message.request);
    if (handler == nullptr) {
        return fail(fmt::format("unknown request {}", message.request));
    }
    const size_t bytes = message.payload.size();
    if (bytes < handler->least_payload || bytes > handler->most_payload) {
        return fail(fmt::format("{} of {} bytes", handler->name, bytes));
    }
    const size_t descriptors = message.descriptors.size();
    if (descriptors < handler->least_descriptors || descriptors > handler->most_descriptors) {
        return fail(fmt::format("{} with {} descriptors", handler->name, descriptors));
    }
    Reply reply;
    const Status status = (this->*handler->handle)(message, reply);
    const bool acknowledges = message.wants_reply && is_negotiated(vhost_protocol_reply_ack) && !handler->has_reply;
    if (acknowledges) {
        reply = reply_with(uint64_t{status.ok() ? 0U : 1U});
    }
    const bool replied = (!acknowledges && (!handler->has_reply || !status.ok())) || send(message.request, reply);
    made_.reset();
    if (!status.ok()) {
        return fail(fmt::format("{}: {}", handler->name, status.message()));
    }
    return replied;
}

bool VhostUser::send(uint32_t request, const Reply& reply) {
    const Status status = socket_.reply(request, reply.payload, reply.descriptor);
    // A disconnected front end is not an error.
    return status.ok() || (status.code() != EAGAIN ? false : fail("the front end does not read its replies"));
}

template <typename T>
VhostUser::Reply VhostUser::reply_with(const T& value) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&value);
    return {std::vector<uint8_t>(bytes, bytes + sizeof(value)), -1};
}

Result<uint32_t> VhostUser::queue_of(uint64_t index) const {
    if (index >= queues_.count()) {
        return broken(fmt::format("there is no queue {}", index));
    }
    return static_cast<uint32_t>(index);
}

Result<uint32_t> VhostUser::take_queue_descriptor(VhostMessage& message, FileDescriptor& descriptor) const {
    const auto word = message.as<uint64_t>();
    const bool has_one = (word & no_descriptor) == 0;
    if (has_one != (message.descriptors.size() == 1)) {
        return broken("the descriptor is missing, or one too many");
    }
    if (has_one) {
        descriptor = std::move(message.descriptors[0]);
    }
    return queue_of(word & ~no_descriptor);
}

Status VhostUser::do_nothing(VhostMessage& /*message*/, Reply& /*reply*/) {
    return {};
}

Status VhostUser::get_features(VhostMessage& /*message*/, Reply& reply) {
    reply = reply_with(device_.features() | transport_features);
    return {};
}

Status VhostUser::set_features(VhostMessage& message, Reply& /*reply*/) {
    const auto accepted = message.as<uint64_t>();
    const uint64_t offered = device_.features() | transport_features;
    if ((accepted & ~offered) != 0) {
        return broken(fmt::format("features {:#x}, which were not offered", accepted & ~offered));
    }
    if (queues_.is_running() && accepted != features_) {
        return broken("a running ring cannot change its features");
    }
    features_ = accepted;
    device_.accept(accepted & ~transport_features);
    queues_.set_event_index((accepted & ring_event_index) != 0);
    // Without the protocol features, there is no message that enables a ring.
    for (uint32_t queue = 0; queue < queues_.count() && (accepted & vhost_protocol_features) == 0; queue++) {
        queues_.set_enabled(queue, true);
    }
    return {};
}

Status VhostUser::get_protocol_features(VhostMessage& /*message*/, Reply& reply) {
    reply = reply_with(offered_protocol_features);
    return {};
}

Status VhostUser::set_protocol_features(VhostMessage& message, Reply& /*reply*/) {
    const auto accepted = message.as<uint64_t>();
    if ((accepted & ~offered_protocol_features) != 0) {
        return broken(fmt::format("protocol features {:#x}, which were not offered", accepted & ~offered_protocol_features));
    }
    protocol_features_ = accepted;
    return {};
}

Status VhostUser::set_mem_table(VhostMessage& message, Reply& /*reply*/) {
    const auto count = message.as<uint32_t>();
    constexpr size_t header = 8;
    if (count != message.descriptors.size() || message.payload.size() < header + count * sizeof(VhostMemoryRegion)) {
        return broken(fmt::format("{} regions with {} descriptors in {} bytes", count, message.descriptors.size(),
                                  message.payload.size()));
    }
    auto memory = std::make_shared<GuestMemory>();
    for (size_t i = 0; i < count; i++) {
        const auto told = message.as<VhostMemoryRegion>(header + i * sizeof(VhostMemoryRegion));
        if (Status status = memory->add(region_of(told), message.descriptors[i]); !status.ok()) {
            return status;
        }
    }
    return queues_.set_memory(std::move(memory));
}

Status VhostUser::get_max_mem_slots(VhostMessage& /*message*/, Reply& reply) {
    reply = reply_with(uint64_t{GuestMemory::max_regions});
    return {};
}

Status VhostUser::add_mem_region(VhostMessage& message, Reply& /*reply*/) {
    const auto told = message.as<VhostMemoryRegion>(sizeof(uint64_t));
    const GuestMemory none;
    const GuestMemory& before = queues_.memory() != nullptr ? *queues_.memory() : none;
    Result<std::shared_ptr<GuestMemory>> more = before.with(region_of(told), message.descriptors[0]);
    return more.ok() ? queues_.set_memory(std::move(*more)) : std::move(more).status();
}

Status VhostUser::remove_mem_region(VhostMessage& message, Reply& /*reply*/) {
    const auto told = message.as<VhostMemoryRegion>(sizeof(uint64_t));
    if (queues_.memory() == nullptr) {
        return broken("there is no memory");
    }
    Result<std::shared_ptr<GuestMemory>> less = queues_.memory()->without(region_of(told));
    return less.ok() ? queues_.set_memory(std::move(*less)) : std::move(less).status();
}

Status VhostUser::get_queue_num(VhostMessage& /*message*/, Reply& reply) {
    reply = reply_with(uint64_t{queues_.count()});
    return {};
}

Status VhostUser::set_vring_num(VhostMessage& message, Reply& /*reply*/) {
    const auto state = message.as<VhostVringState>();
    const Result<uint32_t> queue = queue_of(state.index);
    return queue.ok() ? queues_.set_size(*queue, state.value) : queue.status();
}

Status VhostUser::set_vring_addr(VhostMessage& message, Reply& /*reply*/) {
    const auto told = message.as<VhostVringAddress>();
    const Result<uint32_t> queue = queue_of(told.index);
    return queue.ok() ? queues_.set_addresses(*queue, {told.descriptors, told.available, told.used}) : queue.status();
}

Status VhostUser::set_vring_base(VhostMessage& message, Reply& /*reply*/) {
    const auto state = message.as<VhostVringState>();
    const Result<uint32_t> queue = queue_of(state.index);
    return queue.ok() ? queues_.set_base(*queue, state.value) : queue.status();
}

Status VhostUser::get_vring_base(VhostMessage& message, Reply& reply) {
    auto state = message.as<VhostVringState>();
    const Result<uint32_t> queue = queue_of(state.index);
    if (!queue.ok()) {
        return queue.status();
    }
    state.value = queues_.stop(*queue);
    reply = reply_with(state);
    return {};
}

Status VhostUser::set_vring_kick(VhostMessage& message, Reply& /*reply*/) {
    FileDescriptor descriptor;
    const Result<uint32_t> queue = take_queue_descriptor(message, descriptor);
    if (!queue.ok()) {
        return queue.status();
    }
    if (!descriptor.valid()) {
        return broken("a ring without a kick descriptor, which would have to be polled");
    }
    return queues_.set_kick(*queue, std::move(descriptor));
}

Status VhostUser::set_vring_call(VhostMessage& message, Reply& /*reply*/) {
    FileDescriptor descriptor;
    const Result<uint32_t> queue = take_queue_descriptor(message, descriptor);
    if (queue.ok()) {
        queues_.set_call(*queue, std::move(descriptor));
    }
    return queue.status();
}

Status VhostUser::set_vring_err(VhostMessage& message, Reply& /*reply*/) {
    FileDescriptor descriptor;
    const Result<uint32_t> queue = take_queue_descriptor(message, descriptor);
    if (queue.ok()) {
        queues_.set_err(*queue, std::move(descriptor));
    }
    return queue.status();
}

Status VhostUser::set_vring_enable(VhostMessage& message, Reply& /*reply*/) {
    const auto state = message.as<VhostVringState>();
    const Result<uint32_t> queue = queue_of(state.index);
    if (queue.ok()) {
        queues_.set_enabled(*queue, state.value != 0);
    }
    return queue.status();
}

Status VhostUser::get_config(VhostMessage& message, Reply& reply) {
    const auto asked = message.as<VhostConfigHeader>();
    if (asked.size > most_config_bytes || asked.offset > most_config_bytes) {
        return broken(fmt::format("{} bytes of the configuration at {}", asked.size, asked.offset));
    }
    const virtio_blk::Config config = device_.config();
    reply = reply_with(asked);
    reply.payload.resize(sizeof(asked) + asked.size);
    if (asked.offset < sizeof(config)) {
        memcpy(reply.payload.data() + sizeof(asked), reinterpret_cast<const uint8_t*>(&config) + asked.offset,
               std::min<size_t>(asked.size, sizeof(config) - asked.offset));
    }
    return {};
}

Status VhostUser::set_config(VhostMessage& message, Reply& /*reply*/) {
    const auto told = message.as<VhostConfigHeader>();
    const std::span<const uint8_t> bytes = std::span(message.payload).subspan(sizeof(told));
    if (bytes.size() != told.size || !device_.write_config(told.offset, bytes)) {
        return broken(fmt::format("{} bytes of the configuration at {} cannot be set", told.size, told.offset));
    }
    return {};
}

Status VhostUser::get_inflight_fd(VhostMessage& message, Reply& reply) {
    message.payload.resize(sizeof(VhostInflight));
    const auto asked = message.as<VhostInflight>();
    Result<InflightMemory> made = InflightMemory::make(asked.queues, asked.queue_size);
    if (!made.ok()) {
        return std::move(made).status();
    }
    made_.emplace(std::move(*made));
    reply = reply_with(made_->description());
    reply.descriptor = made_->fd();
    return {};
}

Status VhostUser::set_inflight_fd(VhostMessage& message, Reply& /*reply*/) {
    message.payload.resize(sizeof(VhostInflight));
    Result<InflightMemory> taken = InflightMemory::take(message.as<VhostInflight>(), message.descriptors[0]);
    if (!taken.ok()) {
        return std::move(taken).status();
    }
    return queues_.set_inflight(std::move(*taken));
}

} // namespace zoneio
