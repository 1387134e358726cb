// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/socket.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <linux/vm_sockets.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace zoneio {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Interval at which a wait checks for interrupts and the time limit.
constexpr milliseconds tick(100);

Status connect_error(const NbdAddress& address, int error) {
    return Status::error(error, fmt::format("Failed to connect to '{}': {}", address.text(), strerror(error)))
        .because(Cause::server_unreachable, {.name = address.text()});
}

/// connect(2) with a deadline. Returns 0 or the errno.
int connect_until(int fd, const sockaddr* address, socklen_t length, const NbdDeadline& deadline) {
    constexpr milliseconds pause(10);
    errno = 0;
    while (connect(fd, address, length) != 0) {
        if (errno != EAGAIN) {
            break;
        }
        // The server's queue of waiting connections is full.
        if (deadline.is_interrupted() || deadline.is_over()) {
            return EAGAIN;
        }
        (void)poll(nullptr, 0, static_cast<int>(pause.count()));
    }
    if (const int error = errno; error != EINPROGRESS && error != EINTR) {
        return error;
    }
    pollfd connected{fd, POLLOUT, 0};
    if (Status status = wait_for_sockets({&connected, 1}, deadline, {}); !status.ok()) {
        return status.code();
    }
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Result<FileDescriptor> connect_to(const NbdAddress& address, int family, const void* target, socklen_t length,
                                  const NbdDeadline& deadline) {
    FileDescriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) {
        return Status::error(errno, fmt::format("Failed to create socket: {}", strerror(errno)));
    }
    const int error = connect_until(fd.get(), static_cast<const sockaddr*>(target), length, deadline);
    return error == 0 ? Result<FileDescriptor>(std::move(fd)) : connect_error(address, error);
}

Result<FileDescriptor> connect_local(const NbdAddress& address, const NbdDeadline& deadline) {
    sockaddr_un target{};
    target.sun_family = AF_UNIX;
    const size_t begin = address.abstract ? 1 : 0;
    const size_t longest = sizeof(target.sun_path) - begin;
    if (address.path.size() > longest) {
        return Status::invalid(fmt::format("UNIX socket path '{}' is too long\nPath must be less than {} bytes",
                                           address.path, sizeof(target.sun_path)));
    }
    memcpy(target.sun_path + begin, address.path.data(), address.path.size());
    const size_t length = address.abstract && address.tight ? offsetof(sockaddr_un, sun_path) + 1 + address.path.size()
                                                            : sizeof(target);
    return connect_to(address, AF_UNIX, &target, static_cast<socklen_t>(length), deadline);
}

Result<FileDescriptor> connect_vsock(const NbdAddress& address, const NbdDeadline& deadline) {
    sockaddr_vm target{};
    target.svm_family = AF_VSOCK;
    const auto parse = [](const std::string& text, unsigned& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc() && end == text.data() + text.size();
    };
    if (!parse(address.host, target.svm_cid)) {
        return Status::invalid(fmt::format("Failed to parse cid '{}'", address.host));
    }
    if (!parse(address.port, target.svm_port)) {
        return Status::invalid(fmt::format("Failed to parse port '{}'", address.port));
    }
    return connect_to(address, AF_VSOCK, &target, sizeof(target), deadline);
}

struct FreeAddresses {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const NbdAddress& address) {
    const bool ipv4 = address.ipv4.value_or(!address.ipv6.value_or(false));
    const bool ipv6 = address.ipv6.value_or(!address.ipv4.value_or(false));
    if (!ipv4 && !ipv6) {
        return Status::invalid("Cannot disable IPv4 and IPv6 at same time");
    }
    addrinfo hints{};
    hints.ai_family = ipv4 && ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_V4MAPPED | (address.numeric ? AI_NUMERICHOST | AI_NUMERICSERV : 0);
    addrinfo* list = nullptr;
    const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &list);
    if (error != 0) {
        return Status::invalid(fmt::format("address resolution failed for {}:{}: {}", address.host, address.port,
                                           gai_strerror(error)))
            .because(Cause::server_unreachable, {.name = address.text()});
    }
    return Addresses(list);
}

Result<FileDescriptor> connect_inet(const NbdAddress& address, const NbdDeadline& deadline) {
    const Addresses list = TRY(look_up(address));
    Result<FileDescriptor> fd = connect_error(address, EINVAL);
    for (const addrinfo* entry = list.get(); entry != nullptr && !fd.ok(); entry = entry->ai_next) {
        fd = connect_to(address, entry->ai_family, entry->ai_addr, entry->ai_addrlen, deadline);
    }
    if (fd.ok()) {
        const int on = 1;
        (void)setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (address.keep_alive) {
            (void)setsockopt(fd->get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        }
    }
    return fd;
}

/// The number in the text. As in QEMU, spaces and a sign may stand before the digits.
Result<int> descriptor_number(const std::string& text) {
    constexpr int base = 10;
    char* end = nullptr;
    errno = 0;
    const long number = strtol(text.c_str(), &end, base);
    if (end == text.c_str() || *end != '\0') {
        return Status::invalid(fmt::format("Unable to parse FD number {}", text));
    }
    if (errno == ERANGE || number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
        return Status::invalid(fmt::format("Unable to parse FD number {}: {}", text, strerror(ERANGE)));
    }
    return static_cast<int>(number);
}

/// Takes ownership of a descriptor that the program was started with.
Result<FileDescriptor> take_descriptor(const NbdAddress& address) {
    const int number = TRY(descriptor_number(address.path));
    struct stat st{};
    if (fstat(number, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return Status::invalid(fmt::format("File descriptor '{}' is not a socket", address.path));
    }
    // A socket that listens, for example, would never become readable.
    char byte = 0;
    if (recv(number, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != EINTR) {
        return Status::invalid(fmt::format("Failed to read initial magic: Unable to read from socket: {}", strerror(errno)));
    }
    const int flags = fcntl(number, F_GETFL);
    (void)fcntl(number, F_SETFL, flags | O_NONBLOCK);
    return FileDescriptor(number);
}

} // namespace

Status wait_for_sockets(std::span<pollfd> fds, const NbdDeadline& deadline, std::chrono::seconds silence) {
    const Clock::time_point start = Clock::now();
    while (true) {
        if (deadline.is_interrupted()) {
            return Status::from_errno(EINTR);
        }
        milliseconds timeout = tick;
        if (deadline.time) {
            const auto left = std::chrono::ceil<milliseconds>(*deadline.time - Clock::now());
            if (left <= milliseconds::zero()) {
                return Status::from_errno(ETIMEDOUT);
            }
            timeout = std::min(timeout, left);
        }
        if (poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) > 0) {
            return {};
        }
        if (silence.count() > 0 && Clock::now() - start >= silence) {
            return Status::from_errno(ETIMEDOUT);
        }
    }
}

Result<FileDescriptor> connect_nbd_socket(const NbdAddress& address, const NbdDeadline& deadline) {
    switch (address.type) {
    case NbdAddress::Type::inet: return connect_inet(address, deadline);
    case NbdAddress::Type::local: return connect_local(address, deadline);
    case NbdAddress::Type::vsock: return connect_vsock(address, deadline);
    case NbdAddress::Type::descriptor: break;
    }
    return take_descriptor(address);
}

} // namespace zoneio
