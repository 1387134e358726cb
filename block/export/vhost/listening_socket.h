// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>
#include <sys/types.h>

namespace zoneio {

/// A Unix socket that others connect to, for its owner alone (0600). It is removed with the object.
class ListeningSocket {
public:
    /// Takes the place of a socket that nobody listens at, and of nothing else. EADDRINUSE, EEXIST (no socket), ENAMETOOLONG,
    /// or the errno of making it.
    static Result<ListeningSocket> open(const std::string& path);

    ListeningSocket(ListeningSocket&& other) noexcept = default;
    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;
    ~ListeningSocket();

    int fd() const { return socket_.get(); }
    /// The next connection; invalid when there is none.
    FileDescriptor accept() const;

private:
    ListeningSocket(FileDescriptor socket, std::string path, dev_t device, ino_t inode)
        : socket_(std::move(socket)), path_(std::move(path)), device_(device), inode_(inode) {}

    FileDescriptor socket_;
    std::string path_;
    dev_t device_;
    ino_t inode_;
};

} // namespace zoneio
