// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/pr_manager.h"

#include "block/base/file_descriptor.h"
#include "block/objects/object_ids.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// The connections, which last until the program exits.
std::map<std::string, FileDescriptor, std::less<>>& managers() {
    static std::map<std::string, FileDescriptor, std::less<>> all;
    return all;
}

Result<FileDescriptor> connect_to(const std::string& path) {
    sockaddr_un address{};
    if (path.size() > sizeof(address.sun_path)) {
        return Status::invalid(fmt::format("UNIX socket path '{}' is too long\nPath must be less than {} bytes", path,
                                           sizeof(address.sun_path)));
    }
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path.data(), path.size());
    FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
        return Status::invalid(fmt::format("Failed to connect to '{}': {}", path, strerror(errno)));
    }
    return fd;
}

using Features = std::array<char, 4>;

Status receive(int fd, Features& features) {
    for (size_t done = 0; done < features.size();) {
        const ssize_t count = uninterrupted([&] { return recv(fd, &features[done], features.size() - done, 0); });
        if (count < 0) {
            return Status::invalid(fmt::format("Unable to read from socket: {}", strerror(errno)));
        }
        if (count == 0) {
            return Status::invalid("Unexpected end-of-file before all data were read");
        }
        done += static_cast<size_t>(count);
    }
    return {};
}

} // namespace

Status make_pr_manager(const std::string& id, const Options& properties) {
    FileDescriptor fd = TRY(connect_to(*properties.find_text("path")));
    Features features{};
    TRY(receive(fd.get(), features));
    features = {};
    if (send(fd.get(), features.data(), features.size(), MSG_NOSIGNAL) < 0) {
        return Status::invalid(fmt::format("Unable to write to socket: {}", strerror(errno)));
    }
    managers().emplace(id, std::move(fd));
    return {};
}

Status check_pr_manager(std::string_view id) {
    if (managers().contains(id)) {
        return {};
    }
    return Status::invalid(has_user_object(id) ? fmt::format("Object with id '{}' is not a persistent reservation manager", id)
                                               : fmt::format("No persistent reservation manager with id '{}'", id));
}

} // namespace zoneio
