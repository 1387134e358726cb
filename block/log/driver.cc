// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening of the driver `blklogwrites`.
#include "block/log/log_writes.h"
#include "block/node/driver_rows.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr std::string_view option_keys[] = {"file", "log", "log-append", "log-sector-size", "log-super-update-interval"};

} // namespace

LogWritesDriver::LogWritesDriver() {
    traits_.can_reopen = false;
    extras_.write_log = this;
}

Status LogWritesDriver::take(Options& options, LogOptions& taken) {
    std::optional<bool> append;
    Status status = options.take_all({{"log-append", append},
                                      OptionTarget::size("log-sector-size", taken.sector_size),
                                      OptionTarget::number("log-super-update-interval", taken.super_update_interval)});
    taken.append = append.value_or(false);
    return status;
}

Result<std::unique_ptr<BlockDriver>> LogWritesDriver::create(OpenContext& context, Options& options) {
    LogOptions taken;
    TRY(take(options, taken));
    if (context.child == nullptr) {
        return missing_child();
    }
    std::unique_ptr<BlockNode> log = TRY(context.open_child(std::nullopt, options));
    if (log == nullptr) {
        return Status::invalid("A block device must be specified for \"log\"");
    }
    auto driver = std::make_unique<LogWritesDriver>();
    driver->adopt(std::move(context.child));
    // Even if the child cannot force out zeros: the node leaves forced zeros to this driver, which knows what its log
    // needs.
    driver->traits_.has_fua = true;
    driver->no_flush_ = context.flags.no_flush;
    TRY(driver->open_log(std::move(log), taken));
    driver->set_limits();
    return std::unique_ptr<BlockDriver>(std::move(driver));
}

Status LogWritesDriver::open_log(std::unique_ptr<BlockNode> log, const LogOptions& options) {
    if (options.append && options.sector_size) {
        return Status::invalid("log-append and log-sector-size are mutually exclusive");
    }
    LogWriter::Settings settings;
    const uint64_t sector_size = options.sector_size.value_or(settings.sector_size);
    if (!is_log_sector_size(sector_size)) {
        return Status::invalid(fmt::format("Invalid log sector size {}", sector_size));
    }
    settings.sector_size = static_cast<uint32_t>(sector_size);
    settings.super_update_interval = options.super_update_interval.value_or(1);
    if (settings.super_update_interval == 0) {
        return Status::invalid("Invalid log superblock update interval 0");
    }
    log_ = std::make_unique<LogWriter>(std::move(log), settings);
    Status status = options.append ? log_->find_end() : Status();
    const Limits& below = child_->limits();
    const uint64_t block = below.write_granularity;
    if (status.ok() && below.zoned != ZonedModel::none && (log_->sector_size() < 512 || (block != 0 && log_->sector_size() > block))) {
        status = Status::invalid(fmt::format("The log of a zoned device with blocks of {} bytes cannot have sectors of {}: "
                                             "they are 512 bytes to a block",
                                             block, log_->sector_size()));
    }
    return status;
}

void LogWritesDriver::set_limits() {
    const Limits& below = child_->limits();
    limits_.merge(below);
    limits_.copy_zones(below);
    limits_.request_alignment = log_->sector_size();
    if (is_zoned()) {
        // Requests must reach the child as they are logged, so they are not padded below this driver.
        limits_.request_alignment = std::max(limits_.request_alignment, below.request_alignment);
    }
    limits_.memory_alignment = std::max(below.memory_alignment, log_->node().limits().memory_alignment);
}

/// Write permission on the child also takes it on the log.
Status LogWritesDriver::set_permissions(const Permissions& permissions) {
    TRY(child_->set_permissions(permissions));
    constexpr unsigned changing = Permissions::write | Permissions::write_unchanged | Permissions::resize;
    Permissions own;
    const bool changes = (permissions.taken & changing) != 0;
    own.taken = Permissions::consistent_read | (changes ? Permissions::write | Permissions::resize : 0U);
    own.shared = Permissions::consistent_read | Permissions::write_unchanged;
    return log_->node().set_permissions(own);
}

const DriverInfo blklogwrites_driver{.name = "blklogwrites",
                                     .is_protocol = false,
                                     .needs_filename = false,
                                     .parse_filename = nullptr,
                                     .open = LogWritesDriver::create,
                                     .option_keys = option_keys,
                                     .takes_zoned_child = true,
                                     .is_filter = true};

} // namespace zoneio
