// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/scratch.h"

#include "block/base/file_descriptor.h"
#include "block/create.h"
#include "block/log/scratch_signals.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr uint64_t piece = 1U << 20;

Status file_error(const std::string& path) {
    return Status::error(errno, fmt::format("'{}': {}", path, strerror(errno)));
}

/// Copies a range of an image to the same offset of another.
Status copy_range(BlockBackend& from, BlockBackend& to, uint64_t begin, uint64_t bytes, AlignedBuffer& buffer) {
    WriteFlags flags;
    flags.more = true;
    flags.may_unmap = true;
    for (uint64_t done = 0; done < bytes;) {
        const IoVec part(buffer.data(), std::min(piece, bytes - done));
        Status status = from.execute(Request::read(begin + done, part));
        if (status.ok()) {
            status = part.is_zero() ? to.execute(Request::write_zeroes(begin + done, part.bytes(), flags))
                                    : to.execute(Request::write(begin + done, part, flags));
        }
        if (!status.ok()) {
            return status;
        }
        done += part.bytes();
    }
    return {};
}

Status copy_data(int from, int to, off_t begin, off_t end) {
    while (begin < end) {
        off_t in = begin;
        off_t out = begin;
        const ssize_t copied = copy_file_range(from, &in, to, &out, static_cast<size_t>(end - begin), 0);
        if (copied <= 0) {
            return Status::from_errno(copied < 0 ? errno : EIO);
        }
        begin += copied;
    }
    return {};
}

/// Options of an emulated device with the same geometry and limits.
Result<Options> shape_of(const Limits& limits, const std::vector<ZoneDescriptor>& zones) {
    uint64_t conventional = 0;
    while (conventional < zones.size() && zones[conventional].type == ZoneType::conventional) {
        conventional++;
    }
    uint64_t capacity = limits.zone_size;
    for (uint64_t zone = conventional; zone < zones.size(); zone++) {
        capacity = zone == conventional ? zones[zone].capacity : capacity;
        const bool fits = zones[zone].type != ZoneType::conventional && zones[zone].capacity == std::min(capacity, zones[zone].length);
        if (!fits) {
            return Status::error(ENOTSUP, fmt::format("an emulated device cannot have these zones: zone {} differs from the zones before it", zone));
        }
    }
    Options options;
    const auto set = [&](const char* key, uint64_t value) {
        if (value != 0) {
            options.set(key, std::to_string(value));
        }
    };
    set("zone.size", limits.zone_size);
    set("zone.capacity", capacity);
    set("zone.conventional_zones", conventional);
    set("zone.max_open_zones", limits.max_open_zones);
    set("zone.max_active_zones", limits.max_active_zones);
    set("logical_block_size", limits.write_granularity);
    set("zone.max_append_bytes", limits.max_append_bytes);
    return options;
}

/// Copies the state and the data of a zone.
Status copy_zone(BlockBackend& from, BlockBackend& to, const ZoneDescriptor& zone, AlignedBuffer& buffer) {
    if (zone.type == ZoneType::conventional) {
        return copy_range(from, to, zone.start, zone.length, buffer);
    }
    if (zone.state == ZoneState::offline) {
        return to.execute(Request::set_zone_state(zone.start, zone.length, zone.state));
    }
    const bool has_pointer = zone.write_pointer != no_write_pointer;
    const uint64_t written = std::min(has_pointer ? zone.write_pointer - zone.start : zone.capacity, zone.capacity);
    // The rest of a finished zone reads as zeros and needs no space.
    Status status = copy_range(from, to, zone.start, written, buffer);
    if (status.ok() && zone.state == ZoneState::full && written < zone.capacity) {
        status = to.execute(Request::zone_manage(ZoneOp::finish, zone.start, zone.length));
    } else if (status.ok() && zone.state == ZoneState::read_only) {
        status = to.execute(Request::set_zone_state(zone.start, zone.length, zone.state));
    } else if (status.ok() && zone.state == ZoneState::explicit_open) {
        status = to.execute(Request::zone_manage(ZoneOp::open, zone.start, zone.length));
    }
    return status;
}

} // namespace

Status copy_file(const std::string& from, const std::string& to) {
    const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.valid()) {
        return file_error(from);
    }
    const FileDescriptor target(::open(to.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!target.valid()) {
        return file_error(to);
    }
    if (ioctl(target.get(), FICLONE, source.get()) == 0) {
        return {};
    }
    const off_t length = lseek(source.get(), 0, SEEK_END);
    if (length < 0 || ftruncate(target.get(), length) < 0) {
        return file_error(to);
    }
    for (off_t end = 0; end < length;) {
        const off_t begin = lseek(source.get(), end, SEEK_DATA);
        if (begin < 0) {
            return errno == ENXIO ? Status() : file_error(from);
        }
        end = lseek(source.get(), begin, SEEK_HOLE);
        Status status = end < 0 ? file_error(from) : copy_data(source.get(), target.get(), begin, end);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Result<std::unique_ptr<ScratchImages>> ScratchImages::create(BlockBackend& source) {
    std::unique_ptr<ScratchImages> images(new ScratchImages);
    images->is_zoned_ = source.limits().zoned != ZonedModel::none;
    const Result<uint64_t> length = source.length();
    Status status = length.ok() ? images->make_folder() : length.status();
    if (status.ok()) {
        status = images->is_zoned_ ? images->make_zoned(source, *length) : images->make_plain(source, *length);
    }
    if (!status.ok()) {
        return status;
    }
    return images;
}

ScratchImages::~ScratchImages() {
    base_.reset();
    if (!folder_.empty()) {
        keep_at_signals();
        unlink(base_path().c_str());
        unlink(copy_path().c_str());
        unlink(socket_path().c_str());
        rmdir(folder_.c_str());
    }
}

Status ScratchImages::make_folder() {
    const char* const wanted = getenv("TMPDIR");
    std::string name = std::string(wanted != nullptr && *wanted != '\0' ? wanted : "/var/tmp") + "/zoneio-crash.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
        return file_error(name);
    }
    folder_ = std::move(name);
    remove_at_signals(folder_, {base_path(), copy_path(), socket_path()});
    return {};
}

Result<std::unique_ptr<BlockBackend>> ScratchImages::open(const std::string& path) const {
    ImageSpec spec;
    if (is_zoned_) {
        spec.options.set("driver", "zoned");
        spec.options.set("filename", path);
    } else {
        spec.options.set("driver", "raw");
        spec.options.set("file.driver", "file");
        spec.options.set("file.filename", path);
    }
    // These files need not survive a real power cut.
    spec.flags.no_flush = true;
    spec.flags.unmap = true;
    std::vector<Notice> notices;
    return BlockBackend::open(std::move(spec), false, notices);
}

Result<BlockBackend*> ScratchImages::base() {
    if (base_ == nullptr) {
        base_ = TRY(open(base_path()));
    }
    return base_.get();
}

Result<std::unique_ptr<BlockBackend>> ScratchImages::copy() {
    // Closing the device writes its state from memory to the file.
    base_.reset();
    TRY(copy_file(base_path(), copy_path()));
    return open(copy_path());
}

Status ScratchImages::keep(const std::string& path) const {
    return copy_file(copy_path(), path);
}

Status ScratchImages::make_plain(BlockBackend& source, uint64_t length) {
    const NamedFile file(base_path());
    Status status = create_image("raw", file, length, {}, true);
    const Result<BlockBackend*> target = status.ok() ? base() : Result<BlockBackend*>(status);
    AlignedBuffer buffer;
    if (!target.ok() || !buffer.reserve(piece)) {
        return target.ok() ? Status::from_errno(ENOMEM) : target.status();
    }
    for (uint64_t done = 0; done < length;) {
        const Result<BlockExtent> extent = source.block_status(done, length - done, true);
        const uint64_t bytes = extent.ok() && extent->bytes > 0 ? extent->bytes : length - done;
        if (!extent.ok() || !extent->zero) {
            status = copy_range(source, **target, done, bytes, buffer);
        }
        if (!status.ok()) {
            return status;
        }
        done += bytes;
    }
    return {};
}

Status ScratchImages::make_zoned(BlockBackend& source, uint64_t length) {
    std::vector<ZoneDescriptor> zones;
    const Result<uint64_t> seen = source.zone_report(0, source.limits().nr_zones, [&](const ZoneDescriptor& zone) { zones.push_back(zone); });
    if (!seen.ok()) {
        return seen.status();
    }
    Options shape = TRY(shape_of(source.limits(), zones));
    Status status = create_image("zoned", NamedFile(base_path()), length, std::move(shape), true);
    const Result<BlockBackend*> target = status.ok() ? base() : Result<BlockBackend*>(status);
    AlignedBuffer buffer;
    if (!target.ok() || !buffer.reserve(piece)) {
        return target.ok() ? Status::from_errno(ENOMEM) : target.status();
    }
    for (const ZoneDescriptor& zone : zones) {
        if (zone.state != ZoneState::empty && status.ok()) {
            status = copy_zone(source, **target, zone, buffer);
        }
    }
    return status;
}

} // namespace zoneio
