// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/writer.h"
#include "block/node/filter.h"
#include "block/node/open_context.h"

#include <atomic>
#include <memory>
#include <optional>

namespace zoneio {

/// Options of the driver.
struct LogOptions {
    bool append = false;
    std::optional<uint64_t> sector_size;
    std::optional<uint64_t> super_update_interval;
};

/// The driver `blklogwrites`: passes requests to its child, and logs its changes in another image.
///
/// A request is logged after the child has done it and before it is reported. Without write pointers, a failed write is
/// logged too, because it may have been done in part.
class LogWritesDriver final : public FilterDriver, private WriteLog {
public:
    LogWritesDriver();

    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options);

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override;
    Status pdiscard(uint64_t offset, uint64_t bytes) override;
    Status flush() override;
    Status truncate(uint64_t size, PreallocMode mode) override;
    Status set_permissions(const Permissions& permissions) override;

protected:
    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override;
    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override;
    Status set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) override;

private:
    using Turn = RequestTracker::Ticket;

    Status mark(std::string_view name) override;

    static Status take(Options& options, LogOptions& taken);
    Status open_log(std::unique_ptr<BlockNode> log, const LogOptions& options);
    void set_limits();
    bool is_zoned() const { return limits_.zoned != ZonedModel::none; }

    template <typename Part>
    Status for_each_part(uint64_t offset, uint64_t bytes, Part&& part);
    Turn turn_for(uint64_t offset, uint64_t bytes);
    Status begin_change();
    Status log_device();
    template <typename Perform, typename Put>
    Status write_part(uint64_t offset, uint64_t bytes, bool forced, Perform&& perform, Put&& put);
    Status flush_logged();
    Status log_zone_op(ZoneOp op, uint64_t offset, uint64_t bytes, Status status);

    std::unique_ptr<LogWriter> log_;
    bool no_flush_ = false; ///< forced writes are not forced out (cache=unsafe)
    /// Orders the entries of requests that overlap or go to the same zone as the requests are done.
    RequestTracker requests_;
    RequestTracker beginning_;
    std::atomic<bool> has_begun_{false}; ///< the log has the zones as they were before this session
    std::atomic<bool> is_dirty_{false};  ///< data was written since the last flush of this node
};

} // namespace zoneio
