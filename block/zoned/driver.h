// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/node.h"
#include "block/zoned/emulated_zones.h"
#include "block/zoned/file.h"
#include "block/zoned/flush.h"

#include <memory>

namespace zoneio {

/// The driver `zoned`: a zoned block device in a file or in memory that behaves like Linux's null_blk.
///
/// EmulatedZones implements the requests; this class opens and reopens the device.
class ZonedDriver final : public EmulatedZones {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        auto driver = std::make_unique<ZonedDriver>();
        TRY(driver->open(context, options));
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    ~ZonedDriver() override {
        if (flush_) {
            flush_->end(!no_flush_);
        }
    }

    /// One user may write to a zoned device, or any number may read it.
    Status set_permissions(const Permissions& permissions) override;
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;

private:
    class Reopen;

    /// The device in the file.
    struct Device {
        std::unique_ptr<ZonedFile> file;
        std::unique_ptr<ZoneModel> model;
        std::unique_ptr<ZonedFlush> flush;
    };

    Status open(OpenContext& context, Options& options);
    Status open_child(OpenContext& context, Options& options);
    Result<Device> open_device(const ZonedOptions& options, bool read_only);
    void adopt(Device device);
    Status take_write_permission();
    const ZoneGeometry& geometry() const override { return file_->geometry(); }
    ZoneTable& table() override { return file_->table(); }
    Status before_change() override { return flush_->before_change(); }
    Status before_write(uint64_t zone, uint64_t pointer) override { return flush_->before_write(zone, pointer); }
    void after_reset(uint64_t zone) override { flush_->after_reset(zone); }
    void cursor_moved() override { file_->set_cursor(model_->cursor()); }
    Status may_change() override;
    bool is_read_only() const override { return read_only_; }
    Status flush_zones() override { return flush_->flush(); }
    Status check_table() override { return file_->check_table(); }
    Status check_length() override { return file_->check_length(); }

    FileDescriptor memory_;                  ///< memory file of a device in memory
    std::unique_ptr<BlockNode> memory_node_; ///< node of that file; not a child, because it cannot be reopened
    std::unique_ptr<ZonedFile> file_;
    std::unique_ptr<ZonedFlush> flush_;
    bool read_only_ = false;
    bool no_flush_ = false;
    bool force_share_ = false;
};

} // namespace zoneio
