// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/picture_file.h"

#include "block/base/file_descriptor.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

Status failed(const std::string& filename, int error) {
    return Status::error(error, fmt::format("could not write '{}': {}", filename, strerror(error)));
}

/// Is a file there that is not to be lost?
Status check_target(const std::string& filename) {
    struct stat st{};
    if (stat(filename.c_str(), &st) != 0) {
        return errno == ENOENT ? Status() : failed(filename, errno);
    }
    char head[16] = {};
    ssize_t size = 0;
    if (S_ISREG(st.st_mode)) {
        const FileDescriptor file(open(filename.c_str(), O_RDONLY | O_CLOEXEC));
        size = file.valid() ? pread(file.get(), head, sizeof head - 1, 0) : -1;
    }
    const std::string_view found(head);
    const bool is_picture = found.starts_with("<svg") || found.starts_with("<!DOCTYPE html");
    if (S_ISREG(st.st_mode) && (size == 0 || is_picture)) {
        return {};
    }
    return Status::error(EEXIST, fmt::format("'{}' is there already, and no picture; name another file", filename));
}

/// The file that a name stands for: where it is a symbolic link, what that names, which need not exist.
std::string linked_name(std::string filename) {
    constexpr int most_links = 40; // as the kernel
    for (int i = 0; i < most_links; i++) {
        std::error_code error;
        const std::filesystem::path target = std::filesystem::read_symlink(filename, error);
        if (error) {
            break;
        }
        filename = std::filesystem::path(filename).parent_path() / target;
    }
    return filename;
}

/// Gives a new file the mode and, where that is allowed, the owner of the one whose place it takes.
bool take_mode(int fd, const std::string& filename) {
    struct stat old{};
    if (stat(filename.c_str(), &old) != 0) {
        return errno == ENOENT;
    }
    constexpr mode_t group = 070;
    const bool same_owner = fchown(fd, old.st_uid, old.st_gid) == 0;
    // Another group must not be given what this one was.
    return fchmod(fd, old.st_mode & (same_owner ? 0777U : 0777U & ~group)) == 0;
}

Status write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t done = write(fd, content.data(), content.size());
        if (done < 0 && errno != EINTR) {
            return Status::from_errno(errno);
        }
        content.remove_prefix(done > 0 ? static_cast<size_t>(done) : 0);
    }
    return {};
}

} // namespace

Status write_picture(const std::string& filename, std::string_view content) {
    Status status = check_target(filename);
    if (!status.ok()) {
        return status;
    }
    const std::string target = linked_name(filename);
    const std::string temporary = fmt::format("{}.{}.tmp", target, getpid());
    {
        const FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!file.valid()) {
            return failed(filename, errno);
        }
        status = take_mode(file.get(), target) ? write_all(file.get(), content) : Status::from_errno(errno);
    }
    if (status.ok() && rename(temporary.c_str(), target.c_str()) != 0) {
        status = Status::from_errno(errno);
    }
    if (!status.ok()) {
        (void)unlink(temporary.c_str());
        return failed(filename, status.code());
    }
    return {};
}

} // namespace zoneio
