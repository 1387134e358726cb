// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/create.h"

#include "block/base/file_descriptor.h"
#include "block/chain/open.h"
#include "block/zoned/file.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>

namespace zoneio {

namespace {

Status with_errno(int error, const std::string& filename) {
    return Status::error(error, fmt::format("cannot create '{}': {}", filename, strerror(error)))
        .because(Cause::cannot_open, {.name = filename});
}

/// Creates an empty file. True if the file was created, false if it existed.
Result<bool> make_file(const std::string& filename) {
    constexpr mode_t mode = 0644;
    const FileDescriptor made(::open(filename.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (made.valid() || errno == EEXIST) {
        return made.valid();
    }
    return with_errno(errno, filename);
}

/// Length of the file now. The node's own value was read before the file was locked.
Result<uint64_t> current_length(BlockNode& node) {
    struct stat st{};
    if (fstat(descriptor_of(node.driver()), &st) < 0) {
        return Status::from_errno(errno);
    }
    return static_cast<uint64_t>(st.st_size);
}

/// The image to create, and the zoned device in it if there is one.
struct NewImage {
    uint64_t file_bytes = 0;
    std::optional<ZonedOptions> zoned;
    uint64_t written = 0; ///< end of the part that is written, in bytes; the rest is a hole
};

/// Checks what was asked for, before anything is changed.
Result<NewImage> plan_image(const std::string& driver, uint64_t size, Options options) {
    bool is_zoned = false;
    if (!parse_enum(new_image_words, driver, is_zoned).ok()) {
        return find_driver(driver) == nullptr
                   ? Status::invalid(fmt::format("unknown driver '{}'", driver)).because(Cause::unknown_driver, {.name = driver})
                   : Status::error(ENOTSUP, fmt::format("the driver '{}' cannot create images", driver));
    }
    NewImage image;
    image.file_bytes = size;
    if (is_zoned) {
        if (options.contains("size")) {
            return Status::invalid("the size is an operand, not an option");
        }
        image.zoned = TRY(ZonedOptions::take(options));
        image.zoned->size = size;
    }
    if (const std::optional<std::string> unknown = options.first_unknown()) {
        return Status::invalid(fmt::format("the driver '{}' has no option '{}' for new images; see 'help create'", driver, *unknown));
    }
    if (is_zoned) {
        const ZoneGeometry geometry = TRY(image.zoned->geometry());
        image.file_bytes = ZonedLayout::file_bytes(geometry);
        image.written = ZonedLayout::table;
        for (const ZoneRanges* ranges : {&image.zoned->read_only, &image.zoned->offline}) {
            const uint64_t zones = ranges->empty() ? 0 : ranges->back().last + 1;
            image.written = std::max(image.written, ZonedLayout::table + zones * sizeof(ZoneEntry));
        }
    }
    return image;
}

/// Checks that the file system has room for `bytes` bytes in this file, and reserves them. Does not change the content.
Status reserve(BlockNode& node, uint64_t bytes) {
    const int fd = descriptor_of(node.driver());
    if (bytes == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0) {
        return {};
    }
    // A file system that does not support this is given the benefit of the doubt.
    const bool has_no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return has_no_room ? Status::from_errno(errno) : Status();
}

/// Truncates the file, which has `before` bytes, to 0 and sets its new length. Steps that can fail are tried while the
/// file still has its content.
Status replace(BlockNode& node, uint64_t before, const NewImage& image) {
    TRY(image.file_bytes > before ? node.truncate(image.file_bytes, PreallocMode::off) : Status());
    if (before == 0) {
        return {};
    }
    Status status = reserve(node, image.written);
    if (!status.ok()) {
        (void)node.truncate(before, PreallocMode::off);
        return status;
    }
    TRY(node.truncate(0, PreallocMode::off));
    return node.truncate(image.file_bytes, PreallocMode::off);
}

/// Removes the file of a node that holds its lock, if the file is still empty and still has this name.
void remove_empty(BlockNode& node, const std::string& filename) {
    struct stat mine{};
    struct stat named{};
    if (fstat(descriptor_of(node.driver()), &mine) == 0 && mine.st_size == 0 && lstat(filename.c_str(), &named) == 0 &&
        named.st_dev == mine.st_dev && named.st_ino == mine.st_ino) {
        unlink(filename.c_str());
    }
}

/// The file as a node, locked against all other users.
Result<std::unique_ptr<BlockNode>> open_exclusively(const std::string& filename, Options options) {
    std::unique_ptr<BlockNode> node = TRY(open_file(filename, std::move(options), {}));
    TRY(node->set_permissions({.taken = Permissions::write | Permissions::resize, .shared = 0}));
    return node;
}

/// Removes the file that was made for an image whose options turned out wrong. Without its lock it may be in use by
/// another process.
void remove_new(const std::string& filename) {
    const Result<std::unique_ptr<BlockNode>> node = open_exclusively(filename, {});
    if (node.ok()) {
        remove_empty(**node, filename);
    }
}

/// Turns the file into the image; it is locked meanwhile. On failure, removes the file if it `is_new`.
Status fill_in(const NamedFile& file, const NewImage& image, bool is_new, bool overwrite) {
    const std::string& filename = file.filename;
    const Result<std::unique_ptr<BlockNode>> node = open_exclusively(filename, file.options);
    if (!node.ok()) {
        if (is_new) {
            remove_new(filename);
        }
        return node.status();
    }
    const uint64_t before = TRY(current_length(**node));
    if (before > 0 && !overwrite) {
        return Status::error(EEXIST, fmt::format("'{}' already exists ({} bytes); use -F to overwrite it", filename, before));
    }
    Status status = replace(**node, before, image);
    if (status.ok() && image.zoned) {
        status = ZonedFile::open(**node, *image.zoned, false).status();
        if (!status.ok()) {
            (void)(*node)->truncate(0, PreallocMode::off);
        }
    }
    if (!status.ok() && is_new) {
        remove_empty(**node, filename);
    }
    return std::move(status).prefixed(fmt::format("cannot create '{}': ", filename));
}

} // namespace

Status create_image(const std::optional<std::string>& driver, const NamedFile& file, uint64_t size, Options options, bool overwrite) {
    const std::string& filename = file.filename;
    options.merge_missing(file.device_options);
    const NewImage image = TRY(plan_image(driver.value_or(file.is_zoned ? "zoned" : "raw"), size, std::move(options)));
    if (file.is_zoned && !image.zoned) {
        return Status::invalid(fmt::format("the name means a zoned device in '{}'; use -f zoned to create it", filename));
    }
    const bool is_new = TRY(make_file(filename));
    return fill_in(file, image, is_new, overwrite);
}

} // namespace zoneio
