// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>
#include <sys/types.h>

namespace zoneio {

/// A listening Unix socket that only its owner can use (0600). The destructor removes it.
class ListeningSocket {
public:
    /// Creates the socket. Replaces a socket on which no program listens, and no other file. EADDRINUSE, EEXIST (not a
    /// socket), ENAMETOOLONG, or the errno of creating it.
    static Result<ListeningSocket> open(const std::string& path);

    ListeningSocket(ListeningSocket&& other) noexcept = default;
    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;
    ~ListeningSocket();

    int fd() const { return socket_.get(); }
    /// The next connection; invalid if there is none.
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
