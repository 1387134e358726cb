// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/file.h"

#include "block/host/open_again.h"

#include <atomic>
#include <cstring>
#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ctime>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// How often a store is retried after making room for it. Other programs may take the room in between.
constexpr int most_attempts = 4;

Status with_errno(int error, std::string_view text) {
    return Status::error(error, fmt::format("{}: {}", text, strerror(error))).because(Cause::file_error);
}

Status corrupt(std::string text) {
    return Status::invalid(std::move(text) + ZonedFile::repair_hint());
}

Status cut_off_meanwhile() {
    return Status::error(EIO, "the file of the zoned device was truncated while it was open");
}

Status replaced_meanwhile() {
    return Status::error(EIO, "the file of the zoned device was replaced or overwritten while it was open");
}

/// A random number, not 0, that identifies a session.
uint64_t new_owner() {
    uint64_t number = 0;
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number)) {
        struct timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        number = static_cast<uint64_t>(now.tv_sec) << 30U ^ static_cast<uint64_t>(now.tv_nsec) ^ static_cast<uint64_t>(getpid()) << 40U;
    }
    return number != 0 ? number : 1;
}

/// A second descriptor for a node's file, for the mapping and without O_DIRECT.
Result<FileDescriptor> open_again(BlockNode& node, bool read_only) {
    const int original = descriptor_of(node.driver());
    if (original < 0) {
        return Status::error(ENOTSUP, fmt::format("the driver '{}' has no file for a zoned device; put driver=zoned below it", node.info().name));
    }
    FileDescriptor fd = zoneio::open_again(original, node.filename(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (!fd.valid()) {
        return with_errno(errno, "Could not open the file of the zoned device for its zone table");
    }
    return fd;
}

Status write_at(int fd, const void* data, size_t length, uint64_t offset) {
    const auto* from = static_cast<const uint8_t*>(data);
    while (length > 0) {
        const ssize_t written = uninterrupted([&] { return pwrite(fd, from, length, static_cast<off_t>(offset)); });
        if (written <= 0) {
            return Status::from_errno(written == 0 ? ENOSPC : errno, Cause::file_error);
        }
        from += written;
        length -= static_cast<size_t>(written);
        offset += static_cast<uint64_t>(written);
    }
    return {};
}

Status sync_node(BlockNode& node) {
    // The node does not see writes through another descriptor.
    node.note_native_write();
    return node.flush();
}

/// True if the file contains only zeros. Holes are not read.
Result<bool> is_all_zero(BlockNode& node, uint64_t length) {
    constexpr size_t step = 1U << 20;
    AlignedBuffer buffer;
    TRY(buffer.allocate(step));
    for (uint64_t offset = 0; offset < length;) {
        const BlockExtent extent = TRY(node.block_status(offset, length - offset, true));
        const uint64_t bytes = extent.zero ? extent.bytes : std::min<uint64_t>(extent.bytes, step);
        if (!extent.zero) {
            TRY(node.preadv(offset, IoVec(buffer.data(), bytes)));
            if (!all_bytes_equal(buffer.data(), bytes, 0)) {
                return false;
            }
        }
        offset += bytes;
    }
    return true;
}

/// Writes the words of zones that are read-only or offline from the start.
Status format_states(int fd, const ZoneRanges& ranges, ZoneState state, const ZoneGeometry& geometry) {
    for (const ZoneRange& range : ranges) {
        for (uint64_t zone = range.first; zone <= range.last; zone++) {
            // As in null_blk: reads give zeros although nothing was written.
            const ZoneWord word{state, geometry.zone_length(zone)};
            const uint64_t bits = htole64(word.encode());
            const ZoneEntry entry{bits, bits};
            TRY(write_at(fd, &entry, sizeof(entry), ZonedLayout::table + zone * sizeof(entry)));
        }
    }
    return {};
}

/// Formats an empty file. The header is written last: until then the file counts as empty.
Status format(BlockNode& node, int fd, const ZonedOptions& options, const ZoneGeometry& geometry, uint64_t length) {
    if (length < ZonedLayout::file_bytes(geometry)) {
        TRY(node.truncate(ZonedLayout::file_bytes(geometry), PreallocMode::off));
    }
    TRY(format_states(fd, options.read_only, ZoneState::read_only, geometry));
    TRY(format_states(fd, options.offline, ZoneState::offline, geometry));
    const ZonedHeaderBytes header = encode_zoned_header(geometry);
    ZonedSession session;
    set_identity(session, MediumIdentity::of(fd));
    TRY(write_at(fd, &session, sizeof(session), ZonedLayout::session));
    TRY(write_at(fd, header.data(), header.size(), ZonedLayout::header_copy));
    TRY(sync_node(node));
    TRY(write_at(fd, header.data(), header.size(), ZonedLayout::header));
    return sync_node(node);
}

/// The geometry of the device in the file; empty if the file is empty.
Result<std::optional<ZoneGeometry>> read_geometry(BlockNode& node, uint64_t length) {
    alignas(AlignedBuffer::default_alignment) ZonedHeaderBytes header{};
    TRY(node.preadv(ZonedLayout::header, IoVec(header.data(), header.size())));
    if (has_zoned_magic(header)) {
        const Result<ZoneGeometry> geometry = decode_zoned_header(header);
        if (!geometry.ok()) {
            return corrupt(geometry.status().message());
        }
        return std::optional(*geometry);
    }
    if (TRY(is_all_zero(node, length))) {
        return std::optional<ZoneGeometry>();
    }
    Status status = node.preadv(ZonedLayout::header_copy, IoVec(header.data(), header.size()));
    if (status.ok() && decode_zoned_header(header).ok()) {
        return corrupt("the header of the zoned device is corrupt, but its copy is good");
    }
    return Status::invalid("the file has other content than a zoned device; use an empty file")
        .because(Cause::no_zoned_file);
}

} // namespace

std::string ZonedFile::repair_hint() {
    return "\n'check FILE' lists the errors, 'check -r FILE' repairs what can be repaired";
}

Result<std::unique_ptr<ZonedFile>> ZonedFile::open(BlockNode& node, const ZonedOptions& options, bool read_only) {
    const uint64_t length = TRY(node.driver().length());
    FileDescriptor fd = TRY(open_again(node, read_only));
    const std::optional<ZoneGeometry> found = TRY(read_geometry(node, length));
    std::unique_ptr<ZonedFile> file(new ZonedFile);
    if (found) {
        file->geometry_ = *found;
        if (const uint64_t needed = ZonedLayout::file_bytes(file->geometry_); length < needed) {
            return corrupt(fmt::format("the file of the zoned device is truncated: it has {} of {} bytes", length, needed));
        }
    } else {
        if (read_only) {
            return Status::invalid("the file is empty; open it for writing to make a zoned device in it");
        }
        ZonedOptions wanted = options;
        if (!wanted.size && length > 0) {
            wanted.size = length;
        }
        file->geometry_ = TRY(wanted.geometry());
        Status status = format(node, fd.get(), options, file->geometry_, length);
        if (!status.ok()) {
            if (length == 0) {
                (void)node.truncate(0, PreallocMode::off);
            }
            return std::move(status).prefixed("Could not make a zoned device: ");
        }
    }
    file->fd_ = std::move(fd);
    TRY(file->map(read_only));
    TRY(options.check_match(file->geometry_, *file->table_));
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
    read_only_ = read_only;
    memcpy(header_.data(), memory_.data() + ZonedLayout::header, header_.size());
    struct stat st{};
    is_named_ = fstat(fd_.get(), &st) == 0 && st.st_nlink > 0;
    identity_ = MediumIdentity::of(fd_.get());
    owner_ = session().owner;
    believes_current_ = has_identity(session(), identity_);
    was_flushed_ = believes_current_ && owner_ == 0;
    const std::span entries(reinterpret_cast<ZoneEntry*>(memory_.data() + ZonedLayout::table), geometry_.zone_count());
    table_.emplace(entries, this);
    if (read_only) {
        return {};
    }
    // Flushed words that differ from the current ones are checked here; the model checks the current ones.
    table_->find_unflushed();
    for (const uint32_t zone : table_->unflushed()) {
        const uint64_t bits = table_->flushed_bits(zone);
        if (!is_valid_word(geometry_, zone, bits)) {
            return corrupt("the zone table is corrupt: as of the last flush, " + problem_of(geometry_, zone, bits));
        }
    }
    return {};
}

/// Allocates the page at `offset` on the medium. The error of a write says why that failed.
Status ZonedFile::make_room(uint64_t offset) const {
    TRY(check_length());
    const uint64_t page = offset / ZonedLayout::page * ZonedLayout::page;
    std::array<uint8_t, ZonedLayout::page> content;
    const size_t bytes = std::min<uint64_t>(content.size(), memory_.size() - page);
    memcpy(content.data(), memory_.data() + page, bytes);
    TRY(check_table());
    return write_at(fd_.get(), content.data(), bytes, page);
}

/// Makes stores into the page at `offset`: all, or none.
template <typename Write>
Status ZonedFile::try_store(uint64_t offset, Write&& write) {
    for (int attempt = 0; attempt < most_attempts; attempt++) {
        if (MappedFile::try_write(write)) {
            return {};
        }
        TRY(make_room(offset));
    }
    return Status::from_errno(ENOSPC);
}

Status ZonedFile::store(uint64_t& target, uint64_t bits) {
    const auto offset = static_cast<uint64_t>(reinterpret_cast<uint8_t*>(&target) - memory_.data());
    return try_store(offset, [&] { std::atomic_ref(target).store(bits, std::memory_order_release); });
}

bool ZonedFile::believes_current() const {
    if (believes_current_.load(std::memory_order_acquire)) {
        return true;
    }
    if (!read_only_ || !has_identity(session(), identity_)) {
        return false;
    }
    // Another program has started to write since this reader opened the file.
    std::atomic_thread_fence(std::memory_order_acquire);
    believes_current_.store(true, std::memory_order_release);
    return true;
}

bool ZonedFile::has_failed_sync() const {
    return session().sync_failed != 0;
}

Status ZonedFile::claim() {
    const uint64_t owner = new_owner();
    const bool is_mine = believes_current();
    TRY(try_store(ZonedLayout::session, [&] {
        session().owner = owner;
        if (!is_mine) {
            forget_identity(session());
        }
    }));
    owner_ = owner;
    return {};
}

Status ZonedFile::begin_session() {
    if (believes_current()) {
        return {};
    }
    TRY(table_->restore_flushed());
    TRY(try_store(ZonedLayout::session, [&] {
        // A process that finds this identity must find the words restored above. It starts after this process has
        // ended and sees all its stores, so only the compiler must keep their order.
        std::atomic_signal_fence(std::memory_order_release);
        set_identity(session(), identity_);
    }));
    believes_current_.store(true, std::memory_order_release);
    return {};
}

void ZonedFile::end_session() {
    // If this store fails, the next session syncs once more.
    if (check_table().ok() && MappedFile::try_write([&] { session().owner = 0; })) {
        owner_ = 0;
        was_flushed_ = true;
    }
}

void ZonedFile::set_failed_sync(bool failed) {
    const uint64_t value = failed ? 1 : 0;
    if (session().sync_failed != value && check_table().ok()) {
        (void)MappedFile::try_write([&] { session().sync_failed = value; });
    }
}

Status ZonedFile::rewrite_table() {
    for (uint64_t page = ZonedLayout::session; page < memory_.size(); page += ZonedLayout::page) {
        // A page that was never written is a hole and stays one.
        const off_t data = lseek(fd_.get(), static_cast<off_t>(page), SEEK_DATA);
        if (data < 0 && errno == ENXIO) {
            break;
        }
        page = std::max(page, data < 0 ? page : static_cast<uint64_t>(data) / ZonedLayout::page * ZonedLayout::page);
        if (page >= memory_.size()) {
            break;
        }
        TRY(make_room(page));
    }
    return {};
}

uint64_t ZonedFile::cursor() const {
    return le64toh(std::atomic_ref(session().cursor).load(std::memory_order_relaxed));
}

void ZonedFile::set_cursor(uint64_t cursor) {
    // An error is ignored: the cursor only serves fairness.
    (void)MappedFile::try_write([&] { std::atomic_ref(session().cursor).store(htole64(cursor), std::memory_order_relaxed); });
}

/// True if the file now holds other content. A reader must expect other programs to write.
bool ZonedFile::is_another() const {
    const bool same_owner = read_only_ || std::atomic_ref(session().owner).load(std::memory_order_relaxed) == owner_;
    return !same_owner || memcmp(memory_.data() + ZonedLayout::header, header_.data(), header_.size()) != 0;
}

Status ZonedFile::check_table() const {
    if (!is_replaced_.load(std::memory_order_relaxed) && is_another()) {
        is_replaced_.store(true, std::memory_order_relaxed);
    }
    if (memory_.is_lost()) {
        return cut_off_meanwhile();
    }
    return is_replaced_.load(std::memory_order_relaxed) ? replaced_meanwhile() : Status();
}

Status ZonedFile::check_length() const {
    struct stat st{};
    if (fstat(fd_.get(), &st) < 0) {
        return Status::from_errno(errno);
    }
    if (static_cast<uint64_t>(st.st_size) < ZonedLayout::file_bytes(geometry_)) {
        return cut_off_meanwhile();
    }
    return is_named_ && st.st_nlink == 0 ? replaced_meanwhile() : check_table();
}

} // namespace zoneio
