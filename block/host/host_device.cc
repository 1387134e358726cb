// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `host_device`: a block or character device of the host.
#include "block/host/host_zones.h"
#include "block/base/size.h"
#include "block/host/posix_file.h"
#include "block/host/sysfs.h"
#include "block/host/zone_ioctl.h"
#include "block/node/driver_rows.h"
#include "block/trace/trace.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

/// True for errors that mean the device does not support the operation.
bool means_unsupported(int error) {
    return error == ENODEV || error == ENOSYS || error == EOPNOTSUPP || error == ENOTTY;
}

class HostDevice final : public PosixFile, private ZoneOperations, private ZonedDevice {
public:
    explicit HostDevice(std::string_view driver_name) : driver_name_(driver_name) {}

    template <const DriverInfo& Info>
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        auto driver = std::make_unique<HostDevice>(Info.name);
        TRY(driver->open(context, options));
        TRY(driver->read_attributes());
        TRY(driver->check_cache(context.flags));
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        if (!zones_) {
            return PosixFile::pwritev(offset, iov, flags);
        }
        return zones_->write(offset, iov.bytes(), [&] { return PosixFile::pwritev(offset, iov, flags); });
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        if (flags.may_unmap && !zones_) {
            Status status = punch_hole(offset, bytes);
            // The node writes zeros as data if the device does not support the operation, or not for this range.
            if (status.code() != ENOTSUP && status.code() != EINVAL) {
                return status;
            }
        }
        // The kernel may write zeros itself, and only in whole sectors.
        const uint64_t block = block_size();
        if (flags.no_fallback || block == 0 || offset % block != 0 || bytes % block != 0) {
            return Status::from_errno(ENOTSUP);
        }
        const auto zero = [&] { return range_ioctl(BLKZEROOUT, offset, bytes); };
        return zones_ ? zones_->write(offset, bytes, zero) : zero();
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override { return range_ioctl(BLKDISCARD, offset, bytes); }

    Status flush() override {
        TRY(PosixFile::flush());
        // The kernel syncs nothing on a removed device and reports success.
        return is_removed() ? Status::from_errno(ENXIO) : Status();
    }

    Status truncate(uint64_t size, PreallocMode mode) override {
        const Result<uint64_t> length = measure(fd());
        TRY(truncate_device(size, mode, length));
        set_length(*length);
        return {};
    }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override {
        trace_zbd_zone_report(trace_id(), count, offset / sector_size);
        return zones_->report(offset, count, visit);
    }

    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override {
        return zones_->manage(op, offset, bytes);
    }

    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags /*flags*/) override {
        trace_zbd_zone_append(trace_id(), offset / sector_size);
        const uint64_t position = TRY(zones_->append(offset, iov));
        trace_zbd_zone_append_complete(trace_id(), position / sector_size);
        return position;
    }

    std::optional<FdIo> native_io(Request& request, uint64_t offset) override {
        if (zones_ && request.op == RequestOp::write) {
            return std::nullopt;
        }
        return PosixFile::native_io(request, offset);
    }

    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override {
        TRY(check_cache(flags));
        return PosixFile::prepare_reopen(options, flags);
    }

    void refresh() override {
        PosixFile::refresh();
        // Also the state of zones, because other programs may have written or reset them.
        (void)read_attributes();
    }

protected:
    Status check_kind(int fd) const override {
        struct stat st{};
        if (fstat(fd, &st) < 0) {
            return Status::error(errno, fmt::format("Could not stat file: {}", strerror(errno)));
        }
        if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) {
            return Status::invalid(fmt::format("'{}' driver requires '{}' to be either a character or block device",
                                               driver_name_, filename()));
        }
        return {};
    }

    Status check_writable(int fd) const override {
        struct stat st{};
        int read_only = 0;
        if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && ioctl(fd, BLKROGET, &read_only) == 0 && read_only != 0) {
            return not_writable();
        }
        return {};
    }

    Result<uint64_t> measure(int fd) const override {
        struct stat st{};
        uint64_t bytes = 0;
        if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &bytes) == 0) {
            return bytes;
        }
        const off_t end = lseek(fd, 0, SEEK_END);
        if (end < 0) {
            return Status::from_errno(errno);
        }
        return static_cast<uint64_t>(end);
    }

    /// A read can reach the end early only if the device has shrunk since it was opened.
    Status check_end(uint64_t position) const override {
        struct stat st{};
        const bool has_shrunk = position < known_length() && fstat(fd(), &st) == 0 && S_ISBLK(st.st_mode);
        return has_shrunk ? Status::from_errno(EIO) : Status();
    }

    uint32_t device_block_size(int fd) const override {
        int bytes = 0;
        return ioctl(fd, BLKSSZGET, &bytes) == 0 && bytes > 0 ? static_cast<uint32_t>(bytes) : 0;
    }

    /// A removed device has the length 0.
    bool is_removed() const override {
        const Result<uint64_t> bytes = measure(fd());
        return known_length() > 0 && bytes.ok() && *bytes == 0;
    }

private:
    static Status not_writable() {
        return Status::error(EACCES, fmt::format("The device is not writable: {}", strerror(EACCES)));
    }

    /// Reads the attributes of the open device from sysfs.
    Status read_attributes() {
        struct stat st{};
        if (fstat(fd(), &st) < 0 || !S_ISBLK(st.st_mode)) {
            return {};
        }
        limits_.zeroes_alignment = static_cast<uint32_t>(block_size());
        const QueueAttributes queue = TRY(queue_attributes(st.st_rdev));
        limits_.discard_alignment = queue.discard_granularity;
        limits_.copy_zones({});
        extras_.zones = nullptr;
        zones_.reset();
        if (queue.zoned != ZonedModel::none) {
            take_zones(queue);
        }
        return {};
    }

    void take_zones(const QueueAttributes& queue) {
        limits_.zoned = queue.zoned;
        limits_.zone_size = queue.zone_size;
        const uint64_t bytes = *length();
        limits_.nr_zones = queue.is_partition ? (bytes + queue.zone_size - 1) / queue.zone_size : queue.nr_zones;
        limits_.max_append_bytes = queue.max_append_bytes;
        limits_.max_open_zones = queue.max_open_zones;
        limits_.max_active_zones = queue.max_active_zones;
        limits_.write_granularity = queue.write_granularity;
        extras_.zones = this;
        zones_ = std::make_unique<HostZones>(static_cast<ZonedDevice&>(*this), queue.zone_size, bytes);
    }

    /// Refuses writing through the page cache to sequential zones, because it writes back in any order.
    Status check_cache(const NodeFlags& flags) const {
        if (limits_.zoned == ZonedModel::none || flags.read_only || flags.direct) {
            return {};
        }
        return Status::invalid("The driver supports zoned devices, and it requires cache.direct=on, which was not "
                               "specified.")
            .because(Cause::zones_need_direct);
    }

    Status report_zones(uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones) override {
        return ioctl_report_zones(fd(), offset, count, zones);
    }

    Status manage_zones(ZoneOp op, uint64_t offset, uint64_t bytes) override {
        trace_zbd_zone_mgmt(trace_id(), zone_ioctl_name(op), offset / sector_size, bytes / sector_size);
        return ioctl_manage_zones(fd(), op, offset, bytes);
    }

    Status write_data(uint64_t offset, const IoVec& iov) override { return PosixFile::pwritev(offset, iov, {}); }

    /// Identifies this node in trace events.
    const void* trace_id() const { return static_cast<const BlockDriver*>(this); }

    uint64_t block_size() const { return device_block_size(fd()); }

    /// Zeros a range and lets the device discard it. ENOSPC if the device has become shorter than the range: the kernel
    /// reports success for the part that exists.
    Status punch_hole(uint64_t offset, uint64_t bytes) const {
        constexpr int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        const auto punch = [&] { return fallocate(fd(), mode, static_cast<off_t>(offset), static_cast<off_t>(bytes)); };
        if (uninterrupted(punch) < 0) {
            return means_unsupported(errno) ? Status::from_errno(ENOTSUP) : file_error(errno);
        }
        return ends_before(offset + bytes) ? file_error(ENOSPC) : Status();
    }

    /// True if the device is now shorter than `end`.
    bool ends_before(uint64_t end) const {
        const Result<uint64_t> length = measure(fd());
        return length.ok() && *length < end;
    }

    Status range_ioctl(unsigned long operation, uint64_t offset, uint64_t bytes) const {
        const uint64_t range[2] = {offset, bytes};
        const int error = uninterrupted([&] { return ioctl(fd(), operation, range); }) < 0 ? errno : 0;
        if (error != 0 && is_removed()) {
            return Status::from_errno(ENXIO);
        }
        if (error == EINVAL && ends_before(offset + bytes)) {
            return file_error(ENOSPC);
        }
        return error == 0 ? Status() : means_unsupported(error) ? Status::from_errno(ENOTSUP) : file_error(error);
    }

    std::string_view driver_name_;
    std::unique_ptr<HostZones> zones_; ///< null if the device is not zoned
};

} // namespace

const DriverInfo host_cdrom_driver{
    "host_cdrom", true, true, nullptr, HostDevice::create<host_cdrom_driver>, PosixFile::option_keys};
const DriverInfo host_device_driver{
    "host_device", true, true, nullptr, HostDevice::create<host_device_driver>, PosixFile::option_keys};

} // namespace zoneio
