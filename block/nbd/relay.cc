// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/relay.h"

#include "block/nbd/handshake.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Most bytes of a negotiation that are recorded.
constexpr size_t longest_record = 1U << 20;
constexpr size_t piece = 16U << 10;

/// Sends all bytes and waits if the socket is full. False if the receiver has closed it.
bool send_all(int fd, const char* data, size_t bytes) {
    constexpr int patience_ms = 1000;
    while (bytes > 0) {
        const ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            bytes -= static_cast<size_t>(sent);
            continue;
        }
        pollfd room{fd, POLLOUT, 0};
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (poll(&room, 1, patience_ms) == 0) {
            return false;
        }
    }
    return true;
}

bool has_input(int fd) {
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

} // namespace

Result<FileDescriptor> NbdRelay::open() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
        return Status::from_errno(errno);
    }
    own_end_ = FileDescriptor(fds[0]);
    return FileDescriptor(fds[1]);
}

void NbdRelay::prepare(std::span<pollfd, 2> fds) const {
    fds[0] = {ended_ ? -1 : server_.get(), POLLIN, 0};
    fds[1] = {own_end_.get(), POLLIN, 0};
}

void NbdRelay::pass_on(std::span<const pollfd, 2> fds) {
    if (fds[1].revents != 0) {
        say();
    }
    if (fds[0].revents != 0) {
        hear();
    }
}

void NbdRelay::hear() {
    char data[piece];
    const ssize_t count = recv(server_.get(), data, sizeof(data), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count > 0 && heard_.size() < longest_record) {
        heard_.append(data, static_cast<size_t>(count));
        mend_flags(data, static_cast<size_t>(count));
    }
    ended_ = count <= 0 || !send_all(own_end_.get(), data, static_cast<size_t>(count));
    if (ended_) {
        (void)shutdown(own_end_.get(), SHUT_WR);
    }
}

/// libnbd refuses export flags of 0, because NBD_FLAG_HAS_FLAGS must be set. Servers that are older than this rule work with QEMU.
/// `data` is the end of what was heard.
void NbdRelay::mend_flags(char* data, size_t bytes) const {
    constexpr char has_flags = 1;
    const size_t at = read_nbd_handshake(heard_, false, {}).export_flags_at;
    const size_t start = heard_.size() - bytes;
    const size_t low = at + 1;
    if (at != 0 && low >= start && low < heard_.size() && heard_[at] == 0 && heard_[low] == 0) {
        data[low - start] = has_flags;
    }
}

void NbdRelay::say() {
    char data[piece];
    const ssize_t count = recv(own_end_.get(), data, sizeof(data), MSG_DONTWAIT);
    if (count > 0) {
        // Errors are ignored: a server that receives no more may have sent its reason.
        (void)send_all(server_.get(), data, static_cast<size_t>(count));
    }
}

bool NbdRelay::is_busy(int fd) const {
    return has_input(fd) || has_input(own_end_.get());
}

Status NbdRelay::connect(int fd) {
    if (dup3(server_.get(), fd, O_CLOEXEC) < 0) {
        return Status::from_errno(errno);
    }
    server_ = FileDescriptor();
    own_end_ = FileDescriptor();
    return {};
}

} // namespace zoneio
