// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/open_again.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>

namespace zoneio {

namespace {

constexpr std::string_view folder = "/proc/self/fd/";

bool is_same_file(int a, int b) {
    struct stat first{};
    struct stat second{};
    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

} // namespace

std::string descriptor_name(int fd) {
    return fmt::format("{}{}", folder, fd);
}

FileDescriptor open_again(int fd, const std::string& filename, int flags) {
    FileDescriptor again(open(descriptor_name(fd).c_str(), flags));
    if (again.valid() || errno != ENOENT) {
        return again;
    }
    again = duplicate_of_memory(filename);
    if (!again.valid()) {
        again = FileDescriptor(open(filename.c_str(), flags | O_NONBLOCK));
        if (again.valid() && !is_same_file(fd, again.get())) {
            again = FileDescriptor();
            errno = ENOENT;
        }
    }
    return again;
}

FileDescriptor duplicate_of_memory(const std::string& filename) {
    const std::string_view name(filename);
    int fd = -1;
    if (name.starts_with(folder)) {
        (void)std::from_chars(name.data() + folder.size(), name.data() + name.size(), fd);
    }
    // Only memory files have seals.
    const bool is_memory = fd >= 0 && descriptor_name(fd) == name && fcntl(fd, F_GET_SEALS) >= 0;
    return FileDescriptor(is_memory ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1);
}

} // namespace zoneio
