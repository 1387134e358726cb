// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/output_file.h"

#include "commands/long_work.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace zoneio {

namespace {

Status file_failed(const std::string& filename, int error) {
    return Status::error(error, fmt::format("could not write '{}': {}", filename, strerror(error)));
}

/// The file that a name stands for: the target of a symbolic link, which need not exist.
std::string linked_name(std::string filename) {
    constexpr int most_links = 40; // the kernel's limit
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

/// Gives a file the mode and, if allowed, the owner of the file that it replaces.
bool take_mode(int fd, const std::string& filename) {
    struct stat old{};
    if (stat(filename.c_str(), &old) != 0) {
        return errno == ENOENT;
    }
    constexpr mode_t group = 070;
    const bool same_owner = fchown(fd, old.st_uid, old.st_gid) == 0;
    // With another group, the group's permissions are removed.
    return fchmod(fd, old.st_mode & (same_owner ? 0777U : 0777U & ~group)) == 0;
}

} // namespace

OutputFile::~OutputFile() {
    if (file_.valid() && !temporary_.empty()) {
        (void)unlink(temporary_.c_str());
    }
}

Result<OutputFile> OutputFile::create(const std::string& filename, bool overwrite) {
    struct stat st{};
    const bool exists = stat(filename.c_str(), &st) == 0;
    if (!exists && errno != ENOENT) {
        return file_failed(filename, errno);
    }
    if (exists && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
        FileDescriptor file(open(filename.c_str(), O_WRONLY | O_CLOEXEC));
        return file.valid() ? Result<OutputFile>(OutputFile(filename, {}, std::move(file), true)) : file_failed(filename, errno);
    }
    if (exists && !S_ISREG(st.st_mode)) {
        return Status::error(EEXIST, fmt::format("'{}' is no file{}", filename, S_ISBLK(st.st_mode) ? " but a device; open it and use load" : ""));
    }
    if (exists && !overwrite) {
        return Status::error(EEXIST, fmt::format("'{}' already exists ({} bytes); use -F to overwrite it", filename, st.st_size));
    }
    std::string target = linked_name(filename);
    std::string temporary = fmt::format("{}.{}.tmp", target, getpid());
    FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file.valid()) {
        return file_failed(filename, errno);
    }
    OutputFile output(std::move(target), std::move(temporary), std::move(file), overwrite);
    if (!take_mode(output.file_.get(), output.target_)) {
        return file_failed(filename, errno);
    }
    return output;
}

Status OutputFile::failed(int code) const {
    return file_failed(target_, code);
}

Status OutputFile::append(const uint8_t* data, uint64_t bytes) {
    while (bytes > 0) {
        const ssize_t done = takes_holes() ? pwrite(file_.get(), data, bytes, static_cast<off_t>(length_))
                                           : write(file_.get(), data, bytes);
        if (done < 0 && (errno != EINTR || InterruptEndsCommand::is_requested())) {
            return errno == EINTR ? Status::from_errno(EINTR) : failed(errno);
        }
        const uint64_t part = done > 0 ? static_cast<uint64_t>(done) : 0;
        data += part;
        bytes -= part;
        length_ += part;
    }
    return {};
}

Status OutputFile::commit() {
    if (temporary_.empty()) {
        return {};
    }
    // The file may end with a hole.
    if (ftruncate(file_.get(), static_cast<off_t>(length_)) != 0) {
        return failed(errno);
    }
    // Another program may have created the file meanwhile: link(2) does not replace it.
    const bool is_named = overwrite_ ? rename(temporary_.c_str(), target_.c_str()) == 0
                                     : link(temporary_.c_str(), target_.c_str()) == 0 ||
                                           ((errno == EPERM || errno == EOPNOTSUPP) &&
                                            renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0);
    if (!is_named) {
        return failed(errno);
    }
    (void)unlink(temporary_.c_str());
    temporary_.clear();
    return {};
}

} // namespace zoneio
