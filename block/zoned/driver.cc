// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening and reopening of the driver `zoned`.
#include "block/host/open_again.h"
#include "block/chain/open.h"
#include "block/node/driver_rows.h"
#include "block/zoned/driver.h"

#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <sys/mman.h>
#include <utility>
#include <vector>

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

/// While it exists, this node and the nodes below it count as writable, because they are about to be.
class AsIfWritable {
public:
    explicit AsIfWritable(BlockNode& node) {
        for (BlockNode* below = &node; below != nullptr; below = below->driver().child()) {
            before_.emplace_back(below, below->flags());
            NodeFlags flags = below->flags();
            flags.read_only = false;
            below->set_flags(flags);
        }
    }
    AsIfWritable(const AsIfWritable&) = delete;
    AsIfWritable& operator=(const AsIfWritable&) = delete;
    ~AsIfWritable() {
        for (const auto& [node, flags] : before_) {
            node->set_flags(flags);
        }
    }

private:
    std::vector<std::pair<BlockNode*, NodeFlags>> before_;
};

} // namespace

Status ZonedDriver::open(OpenContext& context, Options& options) {
    const ZonedOptions wanted = TRY(ZonedOptions::take(options));
    TRY(open_child(context, options));
    // A misspelt option must not create a device with another geometry than intended.
    if (const std::optional<std::string> unknown = options.first_unknown()) {
        return Status::invalid(fmt::format("Block protocol 'zoned' doesn't support the option '{}'", *unknown))
            .because(Cause::unknown_option, {.name = *unknown, .owner = "zoned"});
    }
    context.flags.read_only = context.flags.read_only || storage_->flags().read_only;
    read_only_ = context.flags.read_only;
    no_flush_ = context.flags.no_flush;
    force_share_ = context.flags.force_share;
    TRY(set_permissions({.taken = Permissions::consistent_read | (read_only_ ? 0U : Permissions::write)}));
    adopt(TRY(open_device(wanted, storage_->flags().read_only)));
    announce_limits();
    return {};
}

/// Opens the file of the device, unless probing has opened it. Without a name, the device is in memory.
Status ZonedDriver::open_child(OpenContext& context, Options& options) {
    options.erase("filename");
    if (context.child != nullptr) {
        ParentDriver::adopt(std::move(context.child));
        storage_ = child_.get();
        return {};
    }
    NodeFlags flags = inherited_flags(context.flags);
    AioMode default_aio = context.default_aio;
    Options file_options;
    for (const std::string_view key : {"locking", "aio"}) {
        if (std::optional<std::string> value = options.take(key)) {
            file_options.set(std::string(key), *value);
        }
    }
    const bool in_memory = context.filename.empty();
    if (in_memory) {
        memory_ = FileDescriptor(memfd_create("zoned", MFD_CLOEXEC));
        if (!memory_.valid()) {
            return Status::error(errno, fmt::format("cannot create a device in memory: {}", strerror(errno)));
        }
        // A memory file supports neither O_DIRECT nor the kernel's queues.
        flags.direct = false;
        flags.read_only = false;
        default_aio = AioMode::threads;
        file_options.erase("aio");
    }
    const std::string filename = in_memory ? descriptor_name(memory_.get()) : context.filename;
    std::unique_ptr<BlockNode> child = TRY(open_file(filename, std::move(file_options), flags, default_aio));
    storage_ = child.get();
    if (in_memory) {
        memory_node_ = std::move(child);
    } else {
        ParentDriver::adopt(std::move(child));
    }
    return {};
}

Result<ZonedDriver::Device> ZonedDriver::open_device(const ZonedOptions& options, bool read_only) {
    Device device;
    device.file = TRY(ZonedFile::open(*storage_, options, read_only));
    device.model = std::make_unique<ZoneModel>(device.file->geometry(), device.file->table(), device.file->cursor());
    Status status = device.model->load();
    if (!status.ok()) {
        return Status::error(status.code(), "the zone table is corrupt: " + status.message() + ZonedFile::repair_hint());
    }
    device.flush = std::make_unique<ZonedFlush>(*storage_, *device.file, *device.model);
    return device;
}

/// Starts to use this device.
void ZonedDriver::adopt(Device device) {
    flush_ = std::move(device.flush);
    model_ = std::move(device.model);
    file_ = std::move(device.file);
    data_offset_ = file_->data_offset();
    traits_.has_unflushed = !read_only_ && file_->needs_flush();
}

Status ZonedDriver::may_change() {
    TRY(check_table());
    if (read_only_) {
        return Status::from_errno(EBADF);
    }
    // A reopen that was refused may have released the lock.
    return take_write_permission();
}

Status ZonedDriver::take_write_permission() {
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

/// Prepared reopen of a device with other access. For write access, the file is opened again and locked.
class ZonedDriver::Reopen : public PendingReopen {
public:
    Reopen(ZonedDriver& driver, const NodeFlags& flags) : driver_(driver), flags_(flags) {}
    ~Reopen() override {
        if (permissions_before_) {
            // Releasing permissions cannot fail.
            (void)driver_.storage_->set_permissions(*permissions_before_);
        }
    }
    Reopen(const Reopen&) = delete;
    Reopen& operator=(const Reopen&) = delete;

    Status prepare() {
        if (!driver_.read_only_ || flags_.read_only) {
            return {};
        }
        permissions_before_ = driver_.storage_->permissions();
        {
            const AsIfWritable writable(*driver_.storage_);
            TRY(driver_.take_write_permission());
        }
        device_ = TRY(driver_.open_device({}, false));
        return {};
    }

    void commit() override {
        permissions_before_.reset();
        if (flags_.read_only && !driver_.read_only_) {
            driver_.flush_->end(!driver_.no_flush_);
            driver_.file_->become_reader();
        } else if (driver_.no_flush_ && !flags_.no_flush) {
            driver_.flush_->distrust();
        }
        driver_.traits_.has_unflushed = false;
        driver_.read_only_ = flags_.read_only;
        driver_.no_flush_ = flags_.no_flush;
        if (device_) {
            driver_.adopt(std::move(*device_));
        }
    }

private:
    ZonedDriver& driver_;
    NodeFlags flags_;
    std::optional<Permissions> permissions_before_; ///< permissions to restore if commit() is not called
    std::optional<Device> device_;
};

Result<std::unique_ptr<PendingReopen>> ZonedDriver::prepare_reopen(Options& /*options*/, const NodeFlags& flags) {
    auto reopen = std::make_unique<Reopen>(*this, flags);
    TRY(reopen->prepare());
    return std::unique_ptr<PendingReopen>(std::move(reopen));
}

const DriverInfo zoned_driver{"zoned", true, true, nullptr, ZonedDriver::create, option_keys, false, true, {}, false,
                              has_zoned_magic};

} // namespace zoneio
