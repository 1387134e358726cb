// SPDX-License-Identifier: GPL-3.0-or-later
//
// A hostile front end: messages, and rings whose memory changes while it is read.
#include "block/export/vhost/protocol.h"
#include "block/export/vhost/queues.h"
#include "block/objects/user_object.h"
#include "fuzz_target.h"

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace zoneio::fuzz {

namespace {

constexpr uint64_t memory_bytes = 64U << 10;
constexpr uint64_t guest_address = 1U << 20;
constexpr uint64_t user_address = 1U << 30;
constexpr uint16_t ring_size = 8;

FileDescriptor shared_file() {
    FileDescriptor file(memfd_create("guest", MFD_CLOEXEC));
    check(ftruncate(file.get(), memory_bytes) == 0, "a file of memory");
    return file;
}

MemoryRegion whole_region() {
    return {guest_address, memory_bytes, user_address, 0};
}

uint8_t* memory_of(const GuestMemory& memory) {
    return memory.at_user_address(user_address, memory_bytes);
}

void check_segments(const GuestMemory& memory, const std::vector<iovec>& segments, uint64_t bytes) {
    const uint8_t* const begin = memory_of(memory);
    uint64_t sum = 0;
    for (const iovec& segment : segments) {
        const auto* const at = static_cast<const uint8_t*>(segment.iov_base);
        check(at >= begin && segment.iov_len <= memory_bytes && at + segment.iov_len <= begin + memory_bytes,
              "segments are within the shared memory");
        sum += segment.iov_len;
    }
    check(sum == bytes, "the lengths of segments add up");
}

/// The race with the driver is the purpose of the test, and the sanitizer would report nothing else.
#ifdef __SANITIZE_THREAD__
constexpr bool has_thread_sanitizer = true;
#else
constexpr bool has_thread_sanitizer = false;
#endif

/// Writes the input into the memory again and again, like a driver on another processor.
class Scribbler {
public:
    Scribbler(uint8_t* memory, Input input) : thread_([this, memory, input] {
        for (size_t round = 0; !stop_.load(std::memory_order_relaxed); round++) {
            for (size_t i = 0; i < input.size() && i < memory_bytes / 2; i++) {
                const auto at = reinterpret_cast<volatile uint8_t*>(memory + i);
                *at = static_cast<uint8_t>(input[i] ^ (round & 1U));
            }
        }
    }) {}
    ~Scribbler() {
        stop_ = true;
        thread_.join();
    }
    Scribbler(const Scribbler&) = delete;
    Scribbler& operator=(const Scribbler&) = delete;

private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

std::unique_ptr<BlockBackend> open_device(std::initializer_list<std::pair<const char*, const char*>> options) {
    ImageSpec spec;
    for (const auto& [key, value] : options) {
        spec.options.set(key, std::string(value));
    }
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> made = BlockBackend::open(std::move(spec), false, notices);
    check(made.ok(), made.ok() ? "" : made.status().message().c_str());
    return std::move(*made);
}

/// A small zoned device in memory, kept for all inputs.
BlockBackend& device() {
    static const std::unique_ptr<BlockBackend> backend = open_device(
        {{"driver", "zoned"}, {"size", "1M"}, {"zone.size", "64k"}, {"zone.conventional_zones", "2"}});
    return *backend;
}

/// A plain device, so slow that its requests stay in flight.
BlockBackend& slow_device() {
    static const std::unique_ptr<BlockBackend> backend = [] {
        std::string help;
        check(add_user_object("throttle-group,id=slow,x-iops-total=1", help).ok(), "a throttle group");
        return open_device({{"driver", "throttle"}, {"throttle-group", "slow"}, {"file.driver", "null-co"}, {"file.size", "1M"}});
    }();
    return *backend;
}

/// A device with its queues, without the thread that serves it.
struct Server {
    explicit Server(BlockBackend& backend) : port(backend, turn) { port.begin(); }

    std::mutex turn;
    BackendPort port;
    ServedCounters counters;
    VirtioBlk block{port, {"fuzz", false, 2}, counters};
    FileDescriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    VhostQueues queues{port, block, 2, epoll.get(), 0, [](const std::string&) {}};

    ~Server() { queues.reset(); }
};

} // namespace

/// The input is the start of the shared memory: descriptors of a ring, its available ring, tables and requests.
void run_vring(Input input) {
    if (input.empty()) {
        return;
    }
    const FileDescriptor file = shared_file();
    auto memory = std::make_shared<GuestMemory>();
    check(memory->add(whole_region(), file).ok(), "memory");
    uint8_t* const shared = memory_of(*memory);
    memcpy(shared, input.data(), std::min<size_t>(input.size(), memory_bytes));
    const Vring::Addresses addresses{user_address, user_address + 128, user_address + 256};
    {
        // The rules for chains hold whatever happens to the memory.
        Vring ring;
        check(ring.configure(ring_size, addresses, memory, (input[0] & 1U) != 0).ok(), "a ring");
        std::optional<Scribbler> scribbler;
        if (!has_thread_sanitizer) {
            scribbler.emplace(shared, input);
        }
        VringChain chain;
        for (int i = 0; i < 64 && ring.pop(chain) == Vring::Pop::chain; i++) {
            check_segments(*memory, chain.readable, chain.readable_bytes);
            check_segments(*memory, chain.writable, chain.writable_bytes);
            ring.push(chain.head, 1);
            (void)ring.wants_signal();
            (void)ring.notify_again();
        }
    }
    memcpy(shared, input.data(), std::min<size_t>(input.size(), memory_bytes));
    Server server(device());
    server.block.accept(server.block.features());
    check(server.queues.set_memory(memory).ok() && server.queues.set_size(0, ring_size).ok() &&
              server.queues.set_addresses(0, addresses).ok(),
          "a queue");
    server.queues.set_enabled(0, true);
    check(server.queues.set_kick(0, FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))).ok(), "a kick");
    server.queues.on_kick(0);
    server.queues.reset();
}

/// Not of the protocol.
constexpr uint8_t put = 200;
constexpr uint8_t of_slow_device = 201;

/// Starts a ring with two reads, or puts them into the running ring again. The input overwrites their memory.
void put_requests(Server& server, const FileDescriptor& file, Input input) {
    VhostQueues& queues = server.queues;
    if (!queues.is_running()) {
        auto memory = std::make_shared<GuestMemory>();
        check(memory->add(whole_region(), file).ok() && queues.set_memory(memory).ok() && queues.set_size(0, ring_size).ok() &&
                  queues.set_addresses(0, {user_address, user_address + 128, user_address + 256}).ok(),
              "a ring");
        queues.set_enabled(0, true);
        // Fails if the inflight memory has no place for it.
        if (!queues.set_kick(0, FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))).ok()) {
            return;
        }
    }
    constexpr uint16_t next = 1;
    constexpr uint16_t write = 2;
    const struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, following;
    } chains[] = {{guest_address + 512, 16, next, 1}, {guest_address + 1024, 512, next | write, 2}, {guest_address + 600, 1, write, 0},
                  {guest_address + 512, 16, next, 4}, {guest_address + 2048, 512, next | write, 5}, {guest_address + 601, 1, write, 0}};
    std::array<uint8_t, 1024> start{};
    check(pread(file.get(), start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()), "the rings");
    memcpy(start.data(), chains, sizeof(chains));
    uint16_t available = 0;
    memcpy(&available, start.data() + 130, sizeof(available));
    for (const uint16_t head : std::array<uint16_t, 2>{0, 3}) {
        memcpy(start.data() + 132 + 2U * (available++ % ring_size), &head, sizeof(head));
    }
    memcpy(start.data() + 130, &available, sizeof(available));
    std::copy_n(input.begin(), std::min(input.size(), start.size()), start.begin());
    check(pwrite(file.get(), start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()), "the rings");
    queues.on_kick(0);
}

/// The input is a series of messages: request, flags, number of descriptors, length, payload. Request `put` puts requests into
/// a ring.
void run_vhost_user(Input input) {
    std::array<int, 2> ends{};
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0, "a pair of sockets");
    const FileDescriptor ours(ends[0]);
    const FileDescriptor file = shared_file();
    const FileDescriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const bool is_slow = !input.empty() && input[0] == of_slow_device;
    Server server(is_slow ? slow_device() : device());
    input = input.subspan(is_slow ? 1 : 0);
    VhostUser user(FileDescriptor(ends[1]), server.block, server.queues);
    bool goes_on = true;
    while (goes_on && input.size() >= 4) {
        const size_t descriptors = input[2] % 4;
        const size_t length = std::min<size_t>(input[3], input.size() - 4);
        if (input[0] == put) {
            put_requests(server, file, input.subspan(4, length));
            input = input.subspan(4 + length);
            continue;
        }
        struct {
            uint32_t request, flags, size;
        } header{input[0], input[1], static_cast<uint32_t>(length)};
        iovec parts[] = {{&header, sizeof(header)}, {const_cast<uint8_t*>(input.data()) + 4, length}};
        alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(3 * sizeof(int))> control{};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        if (descriptors > 0) {
            message.msg_control = control.data();
            message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
            cmsghdr* const item = CMSG_FIRSTHDR(&message);
            item->cmsg_level = SOL_SOCKET;
            item->cmsg_type = SCM_RIGHTS;
            item->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
            for (size_t i = 0; i < descriptors; i++) {
                // A memory file for the table, event descriptors for the rings.
                const int fd = header.request == 12 || header.request == 13 || header.request == 14 ? event.get() : file.get();
                memcpy(CMSG_DATA(item) + i * sizeof(int), &fd, sizeof(fd));
            }
        }
        check(sendmsg(ours.get(), &message, MSG_NOSIGNAL) >= 0 || errno == EAGAIN || errno == EPIPE, "a message is sent");
        goes_on = user.on_socket();
        std::array<uint8_t, 4096> reply;
        while (recv(ours.get(), reply.data(), reply.size(), 0) > 0) {
        }
        server.queues.on_kick(0);
        server.queues.on_port();
        input = input.subspan(4 + length);
    }
}

} // namespace zoneio::fuzz
