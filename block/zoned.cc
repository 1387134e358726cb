// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `zoned`: a zoned block device in a file or in memory, with the behaviour of Linux's null_blk.
#include "block/drivers.h"
#include "block/open.h"
#include "block/zone_model.h"
#include "block/zoned_file.h"
#include "block/zoned_flush.h"

#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <shared_mutex>
#include <sys/mman.h>

namespace zoneio {

namespace {

constexpr std::string_view option_keys[] = {
    "filename",
    "size",
    "zone.size",
    "zone.capacity",
    "zone.conventional_zones",
    "zone.max_open_zones",
    "zone.max_active_zones",
    "zone.max_append_bytes",
    "zone.readonly",
    "zone.offline",
    "logical_block_size",
    "locking",
    "aio",
};

/// What is read where nothing was written since the last reset.
constexpr uint8_t unwritten_byte = 0xff;

/// null_blk takes requests of at most so many sectors; the kernel cuts larger ones, and does all pieces even when
/// the first is refused.
constexpr uint64_t request_sectors = 255;
constexpr uint64_t sector_size = 512;

std::string_view ioctl_name(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return "BLKOPENZONE";
    case ZoneOp::close: return "BLKCLOSEZONE";
    case ZoneOp::finish: return "BLKFINISHZONE";
    case ZoneOp::reset: return "BLKRESETZONE";
    }
    return "?";
}

std::string_view prealloc_word(PreallocMode mode) {
    return mode == PreallocMode::metadata ? "metadata" : mode == PreallocMode::falloc ? "falloc" : "full";
}

class ZonedDriver final : public BlockDriver {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        auto driver = std::make_unique<ZonedDriver>();
        Status status = driver->open(context, options);
        if (!status.ok()) {
            return status;
        }
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    ~ZonedDriver() override {
        if (flush_ && no_flush_ && !read_only_) {
            flush_->adopt_unsynced();
        }
    }

    Status preadv(uint64_t offset, const IoVec& iov) override;

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) override {
        return write_zones(offset, iov.bytes(), [&](uint64_t done, uint64_t bytes) {
            const uint64_t position = data_offset_ + offset + done;
            return bytes == iov.bytes() ? storage_->pwritev(position, iov, {})
                                        : storage_->pwritev(position, iov.slice(done, bytes), {});
        });
    }

    bool can_write_zeroes() const override { return true; }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        if (flags.no_fallback) {
            return Status::from_errno(ENOTSUP);
        }
        return write_zones(offset, bytes, [&](uint64_t done, uint64_t part) {
            return storage_->pwrite_zeroes(data_offset_ + offset + done, part, holes);
        });
    }

    /// Such a device has no discard, and one that is asked for is no error.
    Status pdiscard(uint64_t /*offset*/, uint64_t /*bytes*/) override { return {}; }

    Status flush() override {
        const std::lock_guard lock(changing_);
        return flush_->flush();
    }

    Status truncate(uint64_t size, PreallocMode mode) override {
        if (mode != PreallocMode::off) {
            return Status::error(ENOTSUP, fmt::format("Preallocation mode '{}' unsupported for this non-regular file",
                                                      prealloc_word(mode)));
        }
        return size > geometry().size ? Status::error(EINVAL, "Cannot grow device files") : Status();
    }

    Result<uint64_t> length() override { return geometry().size; }
    Status info() override { return {}; }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override;
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override;
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) override;

    /// A zoned device has one user who writes, or any number of them who read.
    Status set_permissions(const Permissions& permissions) override {
        Permissions strict = permissions;
        if ((strict.taken & Permissions::write) != 0) {
            strict.taken |= Permissions::resize;
        }
        if (!force_share_) {
            strict.shared = Permissions::consistent_read | Permissions::write_unchanged;
        }
        return storage_->set_permissions(strict);
    }

    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;

private:
    class Reopen;

    static constexpr WriteFlags holes{false, true, false};

    Status open(OpenContext& context, Options& options);
    Status open_child(OpenContext& context, Options& options);
    Status open_file(const ZonedOptions& options, bool read_only);
    void announce_limits();

    const ZoneGeometry& geometry() const { return file_->geometry(); }
    /// The zones that begin in a range.
    uint64_t zones_in(uint64_t offset, uint64_t bytes) const {
        const uint64_t zone_size = geometry().zone_size;
        return (offset + bytes + zone_size - 1) / zone_size - offset / zone_size;
    }
    Status may_change();

    template <typename WriteData>
    Status write_zones(uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status write_zone(uint64_t zone, uint64_t offset, uint64_t bytes, WriteData&& write_data);
    template <typename WriteData>
    Status make_change(const ZoneChange& change, WriteData&& write_data);
    Status make_management_change(const ZoneChange& change);
    void commit(const ZoneChange& change);

    FileDescriptor memory_;                  ///< the file of a device in memory
    std::unique_ptr<BlockNode> memory_node_; ///< and its node, which is no child: there is nothing to reopen
    BlockNode* storage_ = nullptr;           ///< what holds the data: memory_node_ or the child
    std::unique_ptr<ZonedFile> file_;
    std::unique_ptr<ZoneModel> model_;
    std::unique_ptr<ZonedFlush> flush_;
    uint64_t data_offset_ = 0;
    bool read_only_ = false;
    bool no_flush_ = false;
    bool force_share_ = false;

    /// Held by whoever changes zones. One write at a time, so that each finds the pointer of the one before.
    std::mutex changing_;
    /// Shared by reads; held alone while written data stops being readable.
    std::shared_mutex reading_;
};

Status ZonedDriver::open(OpenContext& context, Options& options) {
    Result<ZonedOptions> wanted = ZonedOptions::take(options);
    if (!wanted.ok()) {
        return std::move(wanted).status();
    }
    Status status = open_child(context, options);
    if (!status.ok()) {
        return status;
    }
    // A misspelt option must not leave a device with another geometry than was meant.
    if (const std::string* unknown = options.first_unknown()) {
        return Status::error(EINVAL, fmt::format("Block protocol 'zoned' doesn't support the option '{}'", *unknown));
    }
    context.flags.read_only = context.flags.read_only || storage_->flags().read_only;
    read_only_ = context.flags.read_only;
    no_flush_ = context.flags.no_flush;
    force_share_ = context.flags.force_share;
    Permissions permissions;
    permissions.taken = Permissions::consistent_read | (read_only_ ? 0U : Permissions::write);
    status = set_permissions(permissions);
    if (status.ok()) {
        status = open_file(*wanted, storage_->flags().read_only);
    }
    if (status.ok()) {
        announce_limits();
    }
    return status;
}

/// Opens the file that holds the device, where it is not open for probing already. Without a name it is in memory.
Status ZonedDriver::open_child(OpenContext& context, Options& options) {
    options.erase("filename");
    if (context.child != nullptr) {
        child_ = std::move(context.child);
        storage_ = child_.get();
        return {};
    }
    ImageSpec spec;
    spec.flags = inherited_flags(context.flags);
    spec.aio = context.default_aio;
    spec.options.set("driver", "file");
    for (const std::string_view key : {"locking", "aio"}) {
        if (std::optional<std::string> value = options.take(key)) {
            spec.options.set(std::string(key), *value);
        }
    }
    const bool in_memory = context.filename.empty();
    if (in_memory) {
        memory_ = FileDescriptor(memfd_create("zoned", MFD_CLOEXEC));
        if (!memory_.valid()) {
            return Status::error(errno, fmt::format("Could not make a device in memory: {}", strerror(errno)));
        }
        // Memory can neither be bypassed nor handed to the kernel's queues.
        spec.flags.direct = false;
        spec.flags.read_only = false;
        spec.aio = AioMode::threads;
        spec.options.erase("aio");
    }
    spec.options.set("filename", in_memory ? fmt::format("/proc/self/fd/{}", memory_.get()) : context.filename);
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockNode>> child = open_image(std::move(spec), notices);
    if (!child.ok()) {
        return std::move(child).status();
    }
    storage_ = child->get();
    (in_memory ? memory_node_ : child_) = std::move(*child);
    return {};
}

Status ZonedDriver::open_file(const ZonedOptions& options, bool read_only) {
    Result<std::unique_ptr<ZonedFile>> file = ZonedFile::open(*storage_, options, read_only);
    if (!file.ok()) {
        return std::move(file).status();
    }
    auto model = std::make_unique<ZoneModel>((*file)->geometry(), (*file)->table(), (*file)->cursor());
    Status status = model->load();
    if (!status.ok()) {
        return Status::error(status.code(), "The zone table is corrupt: " + status.message() + ZonedFile::repair_hint());
    }
    flush_ = std::make_unique<ZonedFlush>(*storage_, **file, *model);
    model_ = std::move(model);
    file_ = std::move(*file);
    data_offset_ = file_->data_offset();
    return {};
}

void ZonedDriver::announce_limits() {
    limits_.request_alignment = geometry().block_size;
    limits_.zoned = ZonedModel::host_managed;
    limits_.zone_size = geometry().zone_size;
    limits_.nr_zones = geometry().zone_count();
    limits_.max_append_bytes = geometry().max_append_bytes;
    limits_.max_open_zones = static_cast<uint32_t>(geometry().effective_max_open());
    limits_.max_active_zones = static_cast<uint32_t>(geometry().effective_max_active());
    limits_.write_granularity = geometry().block_size;
}

Status ZonedDriver::preadv(uint64_t offset, const IoVec& iov) {
    const std::shared_lock lock(reading_);
    const uint64_t bytes = iov.bytes();
    uint64_t run_begin = 0; // what is to be read from the file goes from here to `done`
    const auto read_run = [&](uint64_t end) {
        if (run_begin == end) {
            return Status();
        }
        const uint64_t position = data_offset_ + offset + run_begin;
        return end - run_begin == bytes ? storage_->preadv(position, iov)
                                        : storage_->preadv(position, iov.slice(run_begin, end - run_begin));
    };
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t zone = (offset + done) / geometry().zone_size;
        const uint64_t from = offset + done - geometry().zone_start(zone);
        const uint64_t part = std::min(bytes - done, geometry().zone_length(zone) - from);
        uint64_t written = part;
        if (!geometry().is_conventional(zone)) {
            const ZoneWord word = file_->table().current(zone);
            if (word.state == ZoneState::offline) {
                return Status::from_errno(EIO);
            }
            written = word.pointer > from ? std::min(part, word.pointer - from) : 0;
        }
        if (written < part) {
            Status status = read_run(done + written);
            if (!status.ok()) {
                return status;
            }
            iov.fill(done + written, part - written, unwritten_byte);
            run_begin = done + part;
        }
        done += part;
    }
    return read_run(bytes);
}

/// Makes a change that goes with data or zeros in the zone, which are written first.
template <typename WriteData>
Status ZonedDriver::make_change(const ZoneChange& change, WriteData&& write_data) {
    Status status = file_->prepare_store(change.zone);
    if (status.ok() && change.victim != ZoneChange::no_zone) {
        status = file_->prepare_store(change.victim);
    }
    if (status.ok()) {
        status = flush_->before_write(change.zone, change.before.pointer);
    }
    if (status.ok()) {
        status = write_data();
    }
    if (status.ok()) {
        commit(change);
    }
    return status;
}

void ZonedDriver::commit(const ZoneChange& change) {
    model_->commit(change);
    if (change.victim != ZoneChange::no_zone) {
        file_->set_cursor(model_->cursor());
    }
}

template <typename WriteData>
Status ZonedDriver::write_zone(uint64_t zone, uint64_t offset, uint64_t bytes, WriteData&& write_data) {
    if (geometry().is_conventional(zone)) {
        return write_data();
    }
    const Result<ZoneChange> change = model_->begin_write(zone, offset - geometry().zone_start(zone), bytes);
    if (change.ok()) {
        return make_change(*change, write_data);
    }
    // A second piece is not at the write pointer when the first one, refused for whatever reason, did not move it.
    const uint64_t largest_piece = request_sectors * sector_size / geometry().block_size * geometry().block_size;
    return bytes > largest_piece ? Status::from_errno(EIO) : change.status();
}

/// Cuts a write at the ends of zones, as the kernel does: all parts are tried, the last error is the answer.
template <typename WriteData>
Status ZonedDriver::write_zones(uint64_t offset, uint64_t bytes, WriteData&& write_data) {
    const std::lock_guard lock(changing_);
    Status last;
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t position = offset + done;
        const uint64_t zone = position / geometry().zone_size;
        const uint64_t end = geometry().zone_start(zone) + geometry().zone_length(zone);
        const uint64_t part = std::min(bytes - done, end - position);
        Status status = write_zone(zone, position, part, [&] { return write_data(done, part); });
        if (!status.ok()) {
            last = std::move(status);
        }
        done += part;
    }
    return last;
}

Result<uint64_t> ZonedDriver::zone_append(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) {
    const uint64_t zone = offset / geometry().zone_size;
    if (geometry().is_conventional(zone)) {
        return Status::from_errno(EINVAL);
    }
    if (geometry().max_append_bytes != 0 && iov.bytes() > geometry().max_append_bytes) {
        return Status::error(EINVAL, fmt::format("append of {} bytes is above the device's limit of {}", iov.bytes(),
                                                 geometry().max_append_bytes));
    }
    const std::lock_guard lock(changing_);
    Status status = may_change();
    if (!status.ok()) {
        return status;
    }
    const Result<ZoneChange> change = model_->begin_append(zone, iov.bytes());
    if (!change.ok()) {
        return change.status();
    }
    const uint64_t position = offset + change->before.pointer;
    if (!change->changes_anything()) {
        const bool has_pointer = model_->describe(zone).write_pointer != no_write_pointer;
        return has_pointer ? Result<uint64_t>(position) : Status::from_errno(EIO);
    }
    status = make_change(*change, [&] { return storage_->pwritev(data_offset_ + position, iov, {}); });
    if (!status.ok()) {
        return status;
    }
    return position;
}

Result<uint64_t> ZonedDriver::zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    const std::lock_guard lock(changing_);
    const uint64_t zones = geometry().zone_count();
    const uint64_t first = offset < geometry().size ? offset / geometry().zone_size : zones;
    const uint64_t end = first + std::min(count, zones - first);
    for (uint64_t zone = first; zone < end; zone++) {
        visit(model_->describe(zone));
    }
    return end - first;
}

/// Without write access: the error that the ioctls give. Reopened for writing: the lock that goes with it.
Status ZonedDriver::may_change() {
    if (read_only_) {
        return Status::from_errno(EBADF);
    }
    if ((storage_->permissions().taken & Permissions::write) != 0) {
        return {};
    }
    Permissions more = storage_->permissions();
    more.taken |= Permissions::write;
    return set_permissions(more);
}

/// What goes with a change besides the word: zeros up to the end of a zone that becomes readable, and space that
/// comes back from one that is emptied.
Status ZonedDriver::make_management_change(const ZoneChange& change) {
    const uint64_t zone = change.zone;
    if (change.after.pointer > change.before.pointer) {
        const uint64_t begin = data_offset_ + geometry().zone_start(zone) + change.before.pointer;
        return make_change(change, [&] {
            return storage_->pwrite_zeroes(begin, change.after.pointer - change.before.pointer, holes);
        });
    }
    Status status = file_->prepare_store(zone);
    if (status.ok() && change.victim != ZoneChange::no_zone) {
        status = file_->prepare_store(change.victim);
    }
    if (!status.ok()) {
        return status;
    }
    if (change.after.pointer == change.before.pointer && change.after.state != ZoneState::offline) {
        commit(change);
        return {};
    }
    {
        const std::unique_lock alone(reading_);
        commit(change);
    }
    if (change.after.state == ZoneState::empty) {
        flush_->after_reset(zone);
    }
    return {};
}

Status ZonedDriver::zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
    const std::lock_guard lock(changing_);
    const bool whole_device = bytes == geometry().size;
    if (offset < geometry().size && !whole_device && geometry().is_conventional(offset / geometry().zone_size)) {
        return Status::error(EIO, "zone mgmt operations are not allowed for conventional zones");
    }
    Status status = may_change();
    if (status.ok() && bytes == 0) {
        status = Status::from_errno(EINVAL);
    }
    if (status.ok()) {
        status = model_->manage(op, offset / geometry().zone_size, zones_in(offset, bytes),
                                [&](const ZoneChange& change) { return make_management_change(change); });
    }
    if (!status.ok() && !status.has_text()) {
        return Status::error(status.code(), fmt::format("ioctl {} failed -{}", ioctl_name(op), status.code()));
    }
    return status;
}

Status ZonedDriver::set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) {
    const std::lock_guard lock(changing_);
    Status status = may_change();
    const uint64_t first = offset / geometry().zone_size;
    for (uint64_t zone = first; status.ok() && zone < first + zones_in(offset, bytes); zone++) {
        const Result<ZoneChange> change = model_->begin_condition(zone, state);
        if (!change.ok()) {
            return change.status();
        }
        if (change->changes_anything()) {
            status = make_management_change(*change);
        }
    }
    return status;
}

/// What a device reopened with other access is to be; with write access the file is opened anew for it.
class ZonedDriver::Reopen : public PendingReopen {
public:
    Reopen(ZonedDriver& driver, const NodeFlags& flags) : driver_(driver), flags_(flags) {}

    void commit() override {
        driver_.read_only_ = flags_.read_only;
        driver_.no_flush_ = flags_.no_flush;
    }

private:
    ZonedDriver& driver_;
    NodeFlags flags_;
};

Result<std::unique_ptr<PendingReopen>> ZonedDriver::prepare_reopen(Options& /*options*/, const NodeFlags& flags) {
    if (read_only_ && !flags.read_only) {
        Status status = open_file({}, false);
        if (!status.ok()) {
            return status;
        }
    }
    return std::unique_ptr<PendingReopen>(std::make_unique<Reopen>(*this, flags));
}

} // namespace

const DriverInfo zoned_driver{"zoned", true, true, nullptr, ZonedDriver::create, option_keys, false, true};

} // namespace zoneio
