// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `blkdebug`: passes requests to its child. Rules and breakpoints make some of them fail, tear or stop.
#include "block/base/task.h"
#include "block/blkdebug/options.h"
#include "block/node/driver_rows.h"
#include "block/node/filter.h"

#include <algorithm>
#include <fmt/format.h>
#include <list>

namespace zoneio {

namespace {

constexpr std::string_view option_keys[] = {"config",         "image",       "align",        "max-transfer",
                                            "opt-write-zero", "max-write-zero", "opt-discard", "max-discard",
                                            "inject-error.",  "set-state.",  "take-child-perms.", "unshare-child-perms."};

/// True for options that define the node. They are shown if the node has no shorter name.
bool is_shown_option(std::string_view key) {
    if (key.starts_with("inject-error.") || key.starts_with("set-state.")) {
        return true;
    }
    constexpr std::string_view shown[] = {"config",         "align",       "max-transfer", "opt-write-zero",
                                          "max-write-zero", "opt-discard", "max-discard"};
    return std::find(std::begin(shown), std::end(shown), key) != std::end(shown);
}

class BlkdebugDriver final : public FilterDriver, private Breakpoints {
public:
    BlkdebugDriver() {
        traits_.counts_requests = true;
        extras_.breakpoints = this;
    }

    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options);
    static Status parse_filename(const std::string& name, Options& options);

    Status preadv(uint64_t offset, const IoVec& iov) override {
        const std::optional<Status> injected = inject(BlkdebugIo::read, offset, iov.bytes());
        return injected ? *injected : io_done(child_->preadv(offset, iov));
    }

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        const auto tear = [&](uint64_t bytes) { (void)child_->pwritev(offset, iov.slice(0, bytes), flags); };
        const std::optional<Status> injected = inject(BlkdebugIo::write, offset, iov.bytes(), tear);
        return injected ? *injected : io_done(child_->pwritev(offset, iov, flags));
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        if (bytes < std::max(limits_.request_alignment, limits_.zeroes_alignment)) {
            return Status::from_errno(ENOTSUP);
        }
        const std::optional<Status> injected = inject(BlkdebugIo::write_zeroes, offset, bytes);
        return injected ? *injected : io_done(child_->pwrite_zeroes(offset, bytes, flags));
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override {
        if (bytes < limits_.request_alignment) {
            return Status::from_errno(ENOTSUP);
        }
        const std::optional<Status> injected = inject(BlkdebugIo::discard, offset, bytes);
        return injected ? *injected : io_done(child_->pdiscard(offset, bytes));
    }

    Status flush() override {
        if (const std::optional<Status> injected = inject(BlkdebugIo::flush, 0, 0)) {
            return *injected;
        }
        const bool syncs = child_->is_dirty();
        Status status = child_->flush();
        return syncs ? io_done(std::move(status)) : std::move(status);
    }

    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero) override {
        if (const std::optional<Status> injected = inject(BlkdebugIo::block_status, offset, bytes);
            injected && !injected->ok()) {
            return *injected;
        }
        return child_->block_status(offset, bytes, want_zero);
    }

    Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) override {
        if (const std::optional<Status> injected = inject(BlkdebugIo::zone_report, offset, limits_.zone_size)) {
            return injected->ok() ? Result<uint64_t>(uint64_t{0}) : *injected;
        }
        return child_->zone_report(offset, count, visit);
    }

    Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) override {
        const auto tear = [&](uint64_t part) {
            if (part >= limits_.zone_size) {
                (void)child_->zone_mgmt(op, offset, part - part % limits_.zone_size);
            }
        };
        const std::optional<Status> injected = inject(BlkdebugIo::zone_mgmt, offset, bytes, tear);
        return injected ? *injected : io_done(child_->zone_mgmt(op, offset, bytes));
    }

    Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        const auto tear = [&](uint64_t bytes) { (void)child_->zone_append(offset, iov.slice(0, bytes), flags); };
        if (const std::optional<Status> injected = inject(BlkdebugIo::zone_append, offset, iov.bytes(), tear)) {
            return injected->ok() ? Result<uint64_t>(offset) : *injected;
        }
        Result<uint64_t> position = child_->zone_append(offset, iov, flags);
        (void)io_done({});
        return position;
    }

    void refresh() override { set_limits(); }

    Status set_permissions(const Permissions& permissions) override {
        Permissions wanted = permissions;
        unsigned needed = settings_.take_permissions;
        if (child_->flags().read_only) {
            if ((needed & Permissions::write_unchanged) != 0) {
                return Status::error(EPERM, "Block node is read-only").because(Cause::read_only_node);
            }
            needed &= ~Permissions::resize; // the child cannot be resized
        }
        wanted.taken |= needed;
        wanted.shared &= ~settings_.unshare_permissions;
        return child_->set_permissions(wanted);
    }

    void debug_event(DebugEvent event) override {
        const BlkdebugRules::Effects effects = rules_.raise(event);
        if (Task* const task = Task::current()) {
            for (const std::string& tag : effects.suspended_by) {
                suspended_.push_front({tag, task});
                task->scheduler().announce(fmt::format("blkdebug: Suspended request '{}'", tag));
            }
            for (size_t i = 0; i < effects.suspended_by.size(); i++) {
                task->park();
            }
        }
        rules_.set_state(effects.new_state);
    }

    Status set_breakpoint(std::string_view event, std::string_view tag) override {
        const std::optional<DebugEvent> found = find_debug_event(event);
        if (!found) {
            return Status::from_errno(ENOENT);
        }
        BlkdebugRule rule;
        rule.event = *found;
        rule.action = BlkdebugRule::Action::suspend;
        rule.tag = tag;
        rules_.add(std::move(rule));
        return {};
    }

    Status remove_breakpoint(std::string_view tag) override {
        const bool found = rules_.remove_breakpoints(tag);
        while (resume(tag).ok()) {
        }
        return found ? Status() : Status::from_errno(ENOENT);
    }

    Status resume(std::string_view tag) override {
        const auto found = std::find_if(suspended_.begin(), suspended_.end(),
                                        [&](const Suspended& request) { return request.tag == tag; });
        if (found == suspended_.end()) {
            return Status::from_errno(ENOENT);
        }
        go_on(found);
        return {};
    }

    bool is_suspended(std::string_view tag) const override {
        return std::any_of(suspended_.begin(), suspended_.end(),
                           [&](const Suspended& request) { return request.tag == tag; });
    }

    std::vector<std::string> tags(bool held) const override {
        if (!held) {
            return rules_.breakpoint_tags();
        }
        std::vector<std::string> found;
        for (const Suspended& request : suspended_) {
            found.push_back(request.tag);
        }
        return found;
    }

    std::optional<std::string> release(const Task* task) override {
        const auto found = std::find_if(suspended_.begin(), suspended_.end(), [&](const Suspended& request) {
            return task == nullptr || request.task == task;
        });
        if (found == suspended_.end()) {
            return std::nullopt;
        }
        std::string tag = found->tag;
        go_on(found);
        return tag;
    }

private:
    /// A request at a breakpoint. A request that met several at once has several entries.
    struct Suspended {
        std::string tag;
        Task* task;
    };

    static Result<std::string> shown_name(const BlkdebugSettings& settings, const Options& given, const BlockNode& child);
    void set_limits();

    void go_on(std::list<Suspended>::iterator request) {
        const Suspended resumed = std::move(*request);
        suspended_.erase(request);
        TaskScheduler& scheduler = resumed.task->scheduler();
        scheduler.announce(fmt::format("blkdebug: Resuming request '{}'", resumed.tag));
        resumed.task->wake();
        scheduler.run_woken();
    }

    /// The injected error for a request; empty if the request is to be done. `tear` does the first bytes of it.
    template <typename Tear = std::nullptr_t>
    std::optional<Status> inject(BlkdebugIo io, uint64_t offset, uint64_t bytes, Tear tear = {}) {
        const std::optional<Injection> injection = rules_.check(io, offset, bytes);
        if (!injection) {
            return std::nullopt;
        }
        Task* const task = Task::current();
        if (injection->delay_ns > 0 && task != nullptr) {
            task->sleep_for(std::chrono::nanoseconds(injection->delay_ns));
        }
        if (injection->error == 0) {
            return std::nullopt;
        }
        if constexpr (!std::is_null_pointer_v<Tear>) {
            if (const uint64_t part = torn_part(*injection, bytes); part > 0 && injection->error > 0) {
                tear(part);
            }
        }
        if (!injection->immediately && task != nullptr) {
            task->yield();
        }
        return injection->error > 0 ? Status::from_errno(injection->error, Cause::injected) : Status();
    }

    /// Rounded down to whole blocks, because a device never does half of one.
    uint64_t torn_part(const Injection& injection, uint64_t bytes) const {
        const uint64_t block = std::max<uint64_t>(
            {child_->limits().write_granularity, child_->limits().request_alignment, limits_.request_alignment, 1});
        const uint64_t part = std::min(injection.torn, bytes);
        return part - part % block;
    }

    /// Lets other tasks continue, as a wait for a device would.
    Status io_done(Status status) {
        if (Task* const task = Task::current(); task != nullptr && !child_->driver().traits().completes_at_once) {
            task->wait_for_device();
        }
        return status;
    }

    BlkdebugSettings settings_;
    BlkdebugRules rules_;
    std::list<Suspended> suspended_; ///< newest first
};

Status BlkdebugDriver::parse_filename(const std::string& name, Options& options) {
    constexpr std::string_view prefix = "blkdebug:";
    if (!name.starts_with(prefix)) {
        options.set("x-image", name);
        return {};
    }
    const std::string rest = name.substr(prefix.size());
    const size_t colon = rest.find(':');
    if (colon == std::string::npos) {
        return Status::invalid("blkdebug requires both config file and image path");
    }
    if (colon != 0) {
        options.set("config", rest.substr(0, colon));
    }
    options.set("x-image", rest.substr(colon + 1));
    return {};
}

/// `blkdebug:CONFIG:IMAGE`, or JSON if that form cannot express all options.
Result<std::string> BlkdebugDriver::shown_name(const BlkdebugSettings& settings, const Options& given,
                                               const BlockNode& child) {
    Options shown;
    for (const auto& [key, value] : given.all()) {
        if (is_shown_option(key)) {
            shown.set(key, value);
        }
    }
    const bool only_config = shown.empty() || (shown.size() == 1 && settings.config);
    if (only_config && child.has_plain_name()) {
        return fmt::format("blkdebug:{}:{}", settings.config.value_or(""), child.filename());
    }
    shown.set("driver", "blkdebug");
    return "json:" + shown.to_json({{"image", child.to_json()}});
}

Result<std::unique_ptr<BlockDriver>> BlkdebugDriver::create(OpenContext& context, Options& options) {
    Options given = options;
    given.take_subtree("image");
    BlkdebugSettings settings = TRY(take_blkdebug_options(options));
    std::unique_ptr<BlockNode> child = TRY(context.open_child(settings.image, options));
    if (child == nullptr) {
        return Status::invalid("A block device must be specified for \"image\"");
    }
    auto driver = std::make_unique<BlkdebugDriver>();
    driver->adopt(std::move(child));
    driver->settings_ = std::move(settings);
    // Takes the permissions on the child that the rules require.
    TRY(driver->set_permissions({}));
    TRY(check_blkdebug_limits(driver->settings_, driver->child_->limits().request_alignment));
    context.filename = TRY(shown_name(driver->settings_, given, *driver->child_));
    for (BlkdebugRule& rule : driver->settings_.rules) {
        driver->rules_.add(std::move(rule));
    }
    driver->traits_.keeps_writing =
        (driver->settings_.take_permissions & (Permissions::write | Permissions::write_unchanged)) != 0;
    driver->set_limits();
    driver->debug_event(DebugEvent::none);
    return std::unique_ptr<BlockDriver>(std::move(driver));
}

void BlkdebugDriver::set_limits() {
    const Limits& below = child_->limits();
    limits_.request_alignment = static_cast<uint32_t>(std::max<uint64_t>(settings_.align, 1));
    limits_.memory_alignment = below.memory_alignment;
    limits_.merge(below);
    limits_.copy_zones(below);
    if (settings_.max_transfer != 0) {
        limits_.max_transfer = settings_.max_transfer;
    }
    if (settings_.opt_discard != 0) {
        limits_.discard_alignment = static_cast<uint32_t>(settings_.opt_discard);
    }
    limits_.zeroes_alignment = static_cast<uint32_t>(settings_.opt_write_zero);
    limits_.max_zeroes = settings_.max_write_zero;
    limits_.max_discard = settings_.max_discard;
    // Discards are always cut at blocks, because the child should not see parts of one.
    limits_.discard_alignment = std::max(limits_.discard_alignment, limits_.request_alignment);
}

} // namespace

const DriverInfo blkdebug_driver{.name = "blkdebug",
                                 .is_protocol = true,
                                 .needs_filename = false,
                                 .parse_filename = BlkdebugDriver::parse_filename,
                                 .open = BlkdebugDriver::create,
                                 .option_keys = option_keys,
                                 .takes_zoned_child = true,
                                 .own_child = "image",
                                 .is_filter = true};

} // namespace zoneio
