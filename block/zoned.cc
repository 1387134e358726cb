// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `zoned`: how it is opened and reopened.
#include "block/drivers.h"
#include "block/open.h"
#include "block/zoned_driver.h"

#include <cstring>
#include <fmt/format.h>
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

} // namespace

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

/// Reopened for writing: the lock that goes with it.
Status ZonedDriver::may_change() {
    if (Status status = check_table(); !status.ok()) {
        return status;
    }
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

Status ZonedDriver::set_permissions(const Permissions& permissions) {
    Permissions strict = permissions;
    if ((strict.taken & Permissions::write) != 0) {
        strict.taken |= Permissions::resize;
    }
    if (!force_share_) {
        strict.shared = Permissions::consistent_read | Permissions::write_unchanged;
    }
    return storage_->set_permissions(strict);
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

const DriverInfo zoned_driver{"zoned", true, true, nullptr, ZonedDriver::create, option_keys, false, true};

} // namespace zoneio
