// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/picture_file.h"

#include "block/base/file_descriptor.h"
#include "commands/output_file.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

Status failed(const std::string& filename, int error) {
    return Status::error(error, fmt::format("cannot write '{}': {}", filename, strerror(error)));
}

/// Error if an existing file must not be replaced.
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
    return Status::error(EEXIST, fmt::format("'{}' already exists and is not a picture; name another file", filename));
}

} // namespace

Status write_picture(const std::string& filename, std::string_view content) {
    Status status = check_target(filename);
    if (!status.ok()) {
        return status;
    }
    Result<OutputFile> file = OutputFile::create(filename, true);
    if (!file.ok()) {
        return file.status();
    }
    status = file->append(reinterpret_cast<const uint8_t*>(content.data()), content.size());
    return status.ok() ? file->commit() : std::move(status);
}

} // namespace zoneio
