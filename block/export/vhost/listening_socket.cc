// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/listening_socket.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace zoneio {

namespace {

Status with_errno(const std::string& path, int error) {
    return Status::error(error, fmt::format("socket '{}': {}", path, strerror(error)))
        .because(Cause::cannot_listen, {.name = path});
}

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return Status::error(ENAMETOOLONG, fmt::format("socket '{}': the name of a socket has 1 to {} bytes", path,
                                                       sizeof(address.sun_path) - 1));
    }
    memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

bool is_listened_at(const sockaddr_un& address) {
    const FileDescriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return connect(probe.get(), as_sockaddr(address), sizeof(address)) == 0 || errno != ECONNREFUSED;
}

/// Removes an unused socket at the path.
Status clear_path(const std::string& path, const sockaddr_un& address) {
    struct stat st{};
    if (lstat(path.c_str(), &st) < 0) {
        return errno == ENOENT ? Status() : with_errno(path, errno);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return Status::error(EEXIST, fmt::format("'{}' exists and is no socket; name another file", path))
            .because(Cause::not_a_socket, {.name = path});
    }
    if (is_listened_at(address)) {
        return Status::error(EADDRINUSE, fmt::format("socket '{}' is in use: another program listens at it", path))
            .because(Cause::socket_in_use, {.name = path});
    }
    return unlink(path.c_str()) == 0 || errno == ENOENT ? Status() : with_errno(path, errno);
}

} // namespace

Result<ListeningSocket> ListeningSocket::open(const std::string& path) {
    const Result<sockaddr_un> address = address_of(path);
    if (!address.ok()) {
        return address.status();
    }
    FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // In Linux, the file gets the mode of the socket.
    if (!listener.valid() || fchmod(listener.get(), 0600) < 0) {
        return with_errno(path, errno);
    }
    if (Status status = clear_path(path, *address); !status.ok()) {
        return status;
    }
    struct stat st{};
    if (bind(listener.get(), as_sockaddr(*address), sizeof(*address)) < 0 || listen(listener.get(), 1) < 0 ||
        stat(path.c_str(), &st) < 0) {
        return with_errno(path, errno);
    }
    return ListeningSocket(std::move(listener), path, st.st_dev, st.st_ino);
}

ListeningSocket::~ListeningSocket() {
    struct stat st{};
    const bool is_ours = socket_.valid() && lstat(path_.c_str(), &st) == 0 && st.st_dev == device_ && st.st_ino == inode_;
    if (is_ours) {
        (void)unlink(path_.c_str());
    }
}

FileDescriptor ListeningSocket::accept() const {
    return FileDescriptor(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

} // namespace zoneio
