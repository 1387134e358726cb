// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/file.h"

#include <atomic>
#include <cstring>
#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr uint64_t entries_per_page = ZonedLayout::page / sizeof(ZoneEntry);

Status with_errno(int error, std::string_view text) {
    return Status::error(error, fmt::format("{}: {}", text, strerror(error)));
}

Status corrupt(std::string text) {
    return Status::error(EINVAL, std::move(text) + ZonedFile::repair_hint());
}

Status cut_off_meanwhile() {
    return Status::error(EIO, "The file of the zoned device was cut off while it was open");
}

/// A second descriptor for the file of a node: for mapping, and without O_DIRECT.
Result<FileDescriptor> open_again(BlockNode& node, bool read_only) {
    const int original = descriptor_of(node.driver());
    if (original < 0) {
        return Status::error(ENOTSUP, fmt::format("The driver '{}' has no file for a zoned device", node.info().name));
    }
    const std::string path = fmt::format("/proc/self/fd/{}", original);
    FileDescriptor fd(::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    if (!fd.valid()) {
        return with_errno(errno, "Could not open the file of the zoned device for its zone table");
    }
    return fd;
}

Status write_at(int fd, const void* data, size_t length, uint64_t offset) {
    const auto* from = static_cast<const uint8_t*>(data);
    while (length > 0) {
        const ssize_t written = pwrite(fd, from, length, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return Status::from_errno(written == 0 ? ENOSPC : errno);
        }
        from += written;
        length -= static_cast<size_t>(written);
        offset += static_cast<uint64_t>(written);
    }
    return {};
}

Status sync_node(BlockNode& node) {
    // The node does not know of what was written past it.
    node.note_native_write();
    return node.flush();
}

/// Is there nothing but zeros in the file? Holes are not read.
Result<bool> is_all_zero(BlockNode& node, uint64_t length) {
    constexpr size_t step = 1U << 20;
    AlignedBuffer buffer;
    if (!buffer.reserve(step)) {
        return Status::from_errno(ENOMEM);
    }
    for (uint64_t offset = 0; offset < length;) {
        const Result<BlockExtent> extent = node.block_status(offset, length - offset, true);
        if (!extent.ok()) {
            return extent.status();
        }
        const uint64_t bytes = extent->zero ? extent->bytes : std::min<uint64_t>(extent->bytes, step);
        if (!extent->zero) {
            Status status = node.preadv(offset, IoVec(buffer.data(), bytes));
            if (!status.ok()) {
                return status;
            }
            if (!all_bytes_equal(buffer.data(), bytes, 0)) {
                return false;
            }
        }
        offset += bytes;
    }
    return true;
}

/// Writes the words of zones that begin their life out of use.
Status format_conditions(int fd, const ZoneRanges& ranges, ZoneState state, const ZoneGeometry& geometry) {
    Status status;
    for (const ZoneRange& range : ranges) {
        for (uint64_t zone = range.first; status.ok() && zone <= range.last; zone++) {
            // Like null_blk's: nothing was written there, and reads give zeros.
            const ZoneWord word{state, geometry.zone_length(zone)};
            const uint64_t bits = htole64(word.encode());
            const ZoneEntry entry{bits, bits};
            status = write_at(fd, &entry, sizeof(entry), ZonedLayout::table + zone * sizeof(entry));
        }
    }
    return status;
}

/// Makes an empty file a zoned device. The header comes last: until it is there the file is as good as empty.
Status format(BlockNode& node, int fd, const ZonedOptions& options, const ZoneGeometry& geometry, uint64_t length) {
    Status status;
    if (length < ZonedLayout::file_bytes(geometry)) {
        status = node.truncate(ZonedLayout::file_bytes(geometry), PreallocMode::off);
    }
    if (status.ok()) {
        status = format_conditions(fd, options.read_only, ZoneState::read_only, geometry);
    }
    if (status.ok()) {
        status = format_conditions(fd, options.offline, ZoneState::offline, geometry);
    }
    const ZonedHeaderBytes header = encode_zoned_header(geometry);
    const ZonedSession session{current_boot_id(), 0};
    if (status.ok()) {
        status = write_at(fd, &session, sizeof(session), ZonedLayout::session);
    }
    if (status.ok()) {
        status = write_at(fd, header.data(), header.size(), ZonedLayout::header_copy);
    }
    if (status.ok()) {
        status = sync_node(node);
    }
    if (status.ok()) {
        status = write_at(fd, header.data(), header.size(), ZonedLayout::header);
    }
    if (status.ok()) {
        status = sync_node(node);
    }
    return status;
}

/// The geometry of the device in the file; nothing when the file is empty.
Result<std::optional<ZoneGeometry>> read_geometry(BlockNode& node, uint64_t length) {
    alignas(AlignedBuffer::default_alignment) ZonedHeaderBytes header{};
    Status status = node.preadv(ZonedLayout::header, IoVec(header.data(), header.size()));
    if (!status.ok()) {
        return status;
    }
    if (has_zoned_magic(header)) {
        const Result<ZoneGeometry> geometry = decode_zoned_header(header);
        if (!geometry.ok()) {
            return corrupt(geometry.status().message());
        }
        return std::optional(*geometry);
    }
    const Result<bool> empty = is_all_zero(node, length);
    if (!empty.ok()) {
        return empty.status();
    }
    if (*empty) {
        return std::optional<ZoneGeometry>();
    }
    status = node.preadv(ZonedLayout::header_copy, IoVec(header.data(), header.size()));
    if (status.ok() && decode_zoned_header(header).ok()) {
        return corrupt("The header of the zoned device is corrupt, but there is a good copy of it");
    }
    return Status::error(EINVAL, "The file holds something else than a zoned device; only an empty file is made one");
}

} // namespace

std::string ZonedFile::repair_hint() {
    return "\nThe command 'check FILE' tells more, and 'check -r FILE' repairs what can be repaired";
}

Result<std::unique_ptr<ZonedFile>> ZonedFile::open(BlockNode& node, const ZonedOptions& options, bool read_only) {
    const Result<uint64_t> length = node.driver().length();
    if (!length.ok()) {
        return length.status();
    }
    Result<FileDescriptor> fd = open_again(node, read_only);
    if (!fd.ok()) {
        return std::move(fd).status();
    }
    Result<std::optional<ZoneGeometry>> found = read_geometry(node, *length);
    if (!found.ok()) {
        return std::move(found).status();
    }
    std::unique_ptr<ZonedFile> file(new ZonedFile);
    if (*found) {
        file->geometry_ = **found;
        if (const uint64_t needed = ZonedLayout::file_bytes(file->geometry_); *length < needed) {
            return corrupt(fmt::format("The file of the zoned device is cut off: it has {} of {} bytes", *length, needed));
        }
    } else {
        if (read_only) {
            return Status::error(EINVAL, "The file is empty: a zoned device is made in it when it is opened for writing");
        }
        ZonedOptions wanted = options;
        if (!wanted.size && *length > 0) {
            wanted.size = *length;
        }
        const Result<ZoneGeometry> geometry = wanted.geometry();
        if (!geometry.ok()) {
            return geometry.status();
        }
        file->geometry_ = *geometry;
        Status status = format(node, fd->get(), options, *geometry, *length);
        if (!status.ok()) {
            if (*length == 0) {
                (void)node.truncate(0, PreallocMode::off);
            }
            return Status::error(status.code(), "Could not make a zoned device: " + status.message());
        }
    }
    file->fd_ = std::move(*fd);
    Status status = file->map(read_only);
    if (status.ok()) {
        status = options.check_match(file->geometry_, *file->table_);
    }
    if (!status.ok()) {
        return status;
    }
    return file;
}

ZonedSession& ZonedFile::session() const {
    return *reinterpret_cast<ZonedSession*>(memory_.data() + ZonedLayout::session);
}

Status ZonedFile::map(bool read_only) {
    const uint64_t length = ZonedLayout::table + ZonedLayout::table_bytes(geometry_);
    if (const Status status = memory_.map(fd_.get(), length, read_only); !status.ok()) {
        return with_errno(status.code(), "Could not map the zone table");
    }
    const std::span entries(reinterpret_cast<ZoneEntry*>(memory_.data() + ZonedLayout::table), geometry_.zone_count());
    const std::array<char, 40> boot_id = current_boot_id();
    same_boot_ = boot_id.front() != '\0' && session().boot_id == boot_id;
    table_.emplace(entries, !same_boot_);
    has_room_.assign((entries.size() + entries_per_page - 1) / entries_per_page, false);
    if (read_only) {
        return {};
    }
    // Words that are the same are looked at once, by the model.
    table_->find_unflushed();
    for (const uint32_t zone : table_->unflushed()) {
        const uint64_t bits = table_->flushed_bits(zone);
        if (!is_valid_word(geometry_, zone, bits)) {
            return corrupt("The zone table is corrupt: as of the last flush, " + problem_of(geometry_, zone, bits));
        }
    }
    return {};
}

void ZonedFile::begin_writing() {
    if (same_boot_) {
        return;
    }
    table_->restore_flushed();
    // Whoever reads the new boot id has to find the words above restored. That is another process, after this one
    // has ended: all that this one has stored is there then, and only the compiler has to keep the order.
    std::atomic_signal_fence(std::memory_order_release);
    session().boot_id = current_boot_id();
    same_boot_ = true;
}

uint64_t ZonedFile::cursor() const {
    return le64toh(std::atomic_ref(session().cursor).load(std::memory_order_relaxed));
}

void ZonedFile::set_cursor(uint64_t cursor) {
    std::atomic_ref(session().cursor).store(htole64(cursor), std::memory_order_relaxed);
}

Status ZonedFile::check_table() const {
    return memory_.is_lost() ? cut_off_meanwhile() : Status();
}

Status ZonedFile::check_length() const {
    struct stat st{};
    if (fstat(fd_.get(), &st) < 0) {
        return Status::from_errno(errno);
    }
    return static_cast<uint64_t>(st.st_size) < ZonedLayout::file_bytes(geometry_) ? cut_off_meanwhile() : check_table();
}

Status ZonedFile::prepare_store(uint64_t zone) {
    const uint64_t page = zone / entries_per_page;
    if (has_room_[page]) {
        return {};
    }
    // A store into a hole of a mapped file on a full disk is a SIGBUS; a write of what is there says ENOSPC.
    std::array<uint8_t, ZonedLayout::page> content;
    const uint64_t offset = ZonedLayout::table + page * ZonedLayout::page;
    const size_t bytes = std::min<uint64_t>(content.size(), memory_.size() - offset);
    memcpy(content.data(), memory_.data() + offset, bytes);
    Status status = check_table();
    if (!status.ok()) {
        return status;
    }
    status = write_at(fd_.get(), content.data(), bytes, offset);
    has_room_[page] = status.ok();
    return status;
}

} // namespace zoneio
