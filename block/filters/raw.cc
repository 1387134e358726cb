// SPDX-License-Identifier: GPL-3.0-or-later
//
// The format `raw`: shows its child, or a window of it.
#include "block/base/size.h"
#include "block/chain/probe.h"
#include "block/node/driver_rows.h"
#include "block/node/filter.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr std::string_view raw_keys[] = {"file", "size", "offset"};

/// The part of the child that is shown.
struct Window {
    uint64_t offset = 0;
    std::optional<uint64_t> size; ///< unset: up to the end of the child
};

/// Takes `offset` and `size` out of the options.
Result<Window> take_window(Options& options) {
    Window window;
    TRY(options.take_all({OptionTarget::size("offset", window.offset), OptionTarget::size("size", window.size)}));
    return window;
}

/// EINVAL if the window does not lie within a child of this length.
Status check_window(const Window& window, uint64_t child_length) {
    if (window.offset > child_length) {
        return Status::invalid(fmt::format("Offset ({}) cannot be greater than size of the containing file ({})",
                                           window.offset, child_length));
    }
    if (window.size && *window.size > child_length - window.offset) {
        return Status::invalid(fmt::format("The sum of offset ({}) and size ({}) has to be smaller or equal to the "
                                           " actual size of the containing file ({})",
                                           window.offset, *window.size, child_length));
    }
    if (window.size && *window.size % sector_size != 0) {
        return Status::invalid("Specified size is not multiple of 512");
    }
    return {};
}

std::string probing_notice(const std::string& name) {
    return fmt::format("WARNING: Image format was not specified for '{}' and probing guessed raw.\n"
                       "         Automatically detecting the format is dangerous for raw images, write operations on "
                       "block 0 will be restricted.\n"
                       "         Specify the 'raw' format explicitly to remove the restrictions.",
                       name);
}

/// EINVAL if the window shows only a part of a zone.
Status check_zones(const Window& window, const Limits& child, uint64_t child_length) {
    if (child.zoned == ZonedModel::none) {
        return {};
    }
    if (window.offset % child.zone_size != 0) {
        return Status::invalid(fmt::format("Offset ({}) has to be a multiple of the zone size ({}) of the zoned device",
                                           window.offset, child.zone_size));
    }
    const uint64_t end = window.offset + window.size.value_or(child_length - window.offset);
    if (end % child.zone_size != 0 && end != child_length) {
        return Status::error(EINVAL,
                             fmt::format("The sum of offset ({}) and size ({}) has to be a multiple of the zone size ({}) or "
                                         "the end of the zoned device",
                                         window.offset, end - window.offset, child.zone_size));
    }
    return {};
}

class RawDriver final : public FilterDriver, private NativeFile {
public:
    RawDriver() {
        traits_.keeps_writing = false;
        extras_.native_file = this;
    }

    Status flush() override { return child_->is_written() ? child_->flush() : Status(); }

    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        Window window = TRY(take_window(options));
        if (context.child == nullptr) {
            return missing_child();
        }
        const uint64_t length = TRY(context.child->length());
        if (context.probed && !context.flags.read_only) {
            context.notices.push_back({false, probing_notice(context.child->shown_name())});
        }
        TRY(check_window(window, length));
        TRY(check_zones(window, context.child->limits(), length));
        auto driver = std::make_unique<RawDriver>();
        driver->adopt(std::move(context.child));
        driver->window_ = window;
        driver->probed_ = context.probed;
        driver->refresh_limits();
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    Status preadv(uint64_t offset, const IoVec& iov) override {
        child_->raise(DebugEvent::read_aio);
        return child_->preadv(window_.offset + offset, iov);
    }

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        if (probed_ && offset < probe_bytes && iov.bytes() > 0 && would_change_format(offset, iov)) {
            return Status::from_errno(EPERM, Cause::changes_format);
        }
        child_->raise(DebugEvent::write_aio);
        return child_->pwritev(window_.offset + offset, iov, flags);
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        trace_bdrv_co_pwrite_zeroes(&child_->driver(), window_.offset + offset, bytes, flags.bits());
        return child_->pwrite_zeroes(window_.offset + offset, bytes, flags);
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override {
        return child_->pdiscard(window_.offset + offset, bytes);
    }

    Status truncate(uint64_t size, PreallocMode mode) override {
        if (window_.size) {
            return Status::error(ENOTSUP, "Cannot resize fixed-size raw disks");
        }
        if (size > static_cast<uint64_t>(INT64_MAX) - window_.offset) {
            return Status::invalid("Disk size too large for the chosen offset");
        }
        return child_->truncate(window_.offset + size, mode);
    }

    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        return child_->block_status(window_.offset + offset, bytes, want_zero);
    }

    /// Fails if the file has become too short for the window.
    Result<uint64_t> length() override {
        Result<uint64_t> length = child_->length();
        if (length.ok()) {
            *length = *length > window_.offset ? *length - window_.offset : 0;
            *length = window_.size ? std::min(*length, *window_.size) : *length;
        }
        return length;
    }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override {
        const uint64_t bytes = TRY(length());
        // The number of zones from the one that contains the offset to the end of the window.
        const uint64_t first = offset / limits_.zone_size;
        const uint64_t most = offset < bytes ? limits_.nr_zones - first : 0;
        const auto shifted = [&](const ZoneDescriptor& zone) {
            ZoneDescriptor shown = zone;
            shown.start -= window_.offset;
            shown.write_pointer -= zone.write_pointer != no_write_pointer ? window_.offset : 0;
            visit(shown);
        };
        return child_->zone_report(window_.offset + offset, std::min(count, most), shifted);
    }

    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override {
        return child_->zone_mgmt(op, window_.offset + offset, bytes);
    }

    Status set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) override {
        return child_->set_zone_state(window_.offset + offset, bytes, state);
    }

    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        return TRY(child_->zone_append(window_.offset + offset, iov, flags)) - window_.offset;
    }

    std::optional<FdIo> native_io(Request& request, uint64_t offset) override {
        if (probed_ && request.op == RequestOp::write && offset < probe_bytes) {
            return std::nullopt;
        }
        return child_->native_io(request, window_.offset + offset);
    }

    int descriptor() const override { return window_.offset == 0 ? descriptor_of(child_->driver()) : -1; }

    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override;
    void refresh() override { refresh_limits(); }

private:
    void refresh_limits() {
        // Probed images are written in whole sectors, so that the check for a changed format sees all of the first one.
        limits_.request_alignment = probed_ ? sector_size : 1;
        const Limits& below = child_->limits();
        limits_.max_transfer = 0;
        limits_.discard_alignment = 0;
        limits_.merge(below);
        limits_.copy_zones(below);
        limits_.nr_zones = 0;
        if (const Result<uint64_t> bytes = length(); below.zone_size != 0 && bytes.ok()) {
            limits_.nr_zones = (*bytes + below.zone_size - 1) / below.zone_size;
        }
    }

    /// True if the image would be probed as another format after this write.
    static bool would_change_format(uint64_t offset, const IoVec& iov) {
        uint8_t head[probe_bytes] = {};
        if (offset != 0) {
            return false;
        }
        const uint64_t bytes = std::min<uint64_t>(iov.bytes(), sizeof(head));
        iov.slice(0, bytes).copy_to(head);
        return format_of({head, static_cast<size_t>(bytes)}) != "raw";
    }

    Window window_;
    bool probed_ = false;
};

Result<std::unique_ptr<PendingReopen>> RawDriver::prepare_reopen(Options& options, const NodeFlags& /*flags*/) {
    Window window = TRY(take_window(options));
    const uint64_t length = TRY(child_->length());
    TRY(check_window(window, length));
    TRY(check_zones(window, child_->limits(), length));
    return reopen_by([this, window] { window_ = window; });
}

} // namespace

const DriverInfo raw_driver{.name = "raw",
                            .is_protocol = false,
                            .needs_filename = false,
                            .parse_filename = nullptr,
                            .open = RawDriver::create,
                            .option_keys = raw_keys,
                            .takes_zoned_child = true};

} // namespace zoneio
