// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/create.h"

#include "block/file_descriptor.h"
#include "block/open.h"
#include "block/zoned_file.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

Status with_errno(int error, const std::string& filename) {
    return Status::error(error, fmt::format("Could not create '{}': {}", filename, strerror(error)));
}

/// True: the file was not there, and now is.
Result<bool> make_file(const std::string& filename) {
    constexpr mode_t mode = 0644;
    const FileDescriptor made(::open(filename.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (made.valid() || errno == EEXIST) {
        return made.valid();
    }
    return with_errno(errno, filename);
}

/// The file, emptied, with nobody else writing to it.
Result<std::unique_ptr<BlockNode>> open_emptied(const std::string& filename, bool overwrite) {
    ImageSpec spec;
    spec.options.set("driver", "file");
    spec.options.set("filename", filename);
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockNode>> node = open_image(std::move(spec), notices);
    if (!node.ok()) {
        return node;
    }
    const Result<uint64_t> length = (*node)->driver().length();
    if (!length.ok()) {
        return length.status();
    }
    if (*length > 0 && !overwrite) {
        return Status::error(EEXIST, fmt::format("'{}' is there already and has {} bytes; -F overwrites it", filename, *length));
    }
    Permissions permissions;
    permissions.taken = Permissions::write | Permissions::resize;
    permissions.shared = 0;
    Status status = (*node)->set_permissions(permissions);
    if (status.ok() && *length > 0) {
        status = (*node)->truncate(0, PreallocMode::off);
    }
    if (!status.ok()) {
        return status;
    }
    return node;
}

Status fill_in(const std::string& driver, const std::string& filename, uint64_t size, Options options, bool overwrite) {
    Result<std::unique_ptr<BlockNode>> node = open_emptied(filename, overwrite);
    if (!node.ok()) {
        return std::move(node).status();
    }
    if (driver != "zoned") {
        const std::string* unknown = options.first_unknown();
        return unknown == nullptr ? (*node)->truncate(size, PreallocMode::off)
                                  : Status::error(EINVAL, fmt::format("The driver '{}' has no option '{}' for new images",
                                                                      driver, *unknown));
    }
    // The lock of the node would stand in the way of the device's own.
    node->reset();
    ImageSpec spec;
    spec.options = std::move(options);
    spec.options.set("driver", "zoned");
    spec.options.set("filename", filename);
    spec.options.set("size", size);
    std::vector<Notice> notices;
    return open_image(std::move(spec), notices).status();
}

/// Would there be such a device? Asked before anything is overwritten.
Status check_zoned_options(Options options, uint64_t size) {
    if (options.contains("size")) {
        return Status::error(EINVAL, "The size is an operand here, not an option");
    }
    Result<ZonedOptions> taken = ZonedOptions::take(options);
    if (!taken.ok()) {
        return std::move(taken).status();
    }
    if (const std::string* unknown = options.first_unknown()) {
        return Status::error(EINVAL, fmt::format("The driver 'zoned' has no option '{}' for new images", *unknown));
    }
    taken->size = size;
    return taken->geometry().status();
}

} // namespace

Status create_image(const std::string& driver, const std::string& filename, uint64_t size, Options options, bool overwrite) {
    if (find_driver(driver) == nullptr) {
        return Status::error(EINVAL, fmt::format("Unknown driver '{}'", driver));
    }
    if (driver != "raw" && driver != "file" && driver != "zoned") {
        return Status::error(ENOTSUP, fmt::format("The driver '{}' cannot make new images", driver));
    }
    if (driver == "zoned") {
        Status status = check_zoned_options(options, size);
        if (!status.ok()) {
            return status;
        }
    }
    const Result<bool> is_new = make_file(filename);
    if (!is_new.ok()) {
        return is_new.status();
    }
    Status status = fill_in(driver, filename, size, std::move(options), overwrite);
    if (!status.ok() && *is_new) {
        unlink(filename.c_str());
    }
    return status;
}

} // namespace zoneio
