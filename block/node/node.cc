// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/node.h"

#include "block/base/notice.h"
#include "block/base/size.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <climits>
#include <fmt/format.h>
#include <new>

namespace zoneio {

namespace {

constexpr unsigned changing_permissions = Permissions::write | Permissions::resize;

DebugEvent management_event(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return DebugEvent::zone_open;
    case ZoneOp::close: return DebugEvent::zone_close;
    case ZoneOp::finish: return DebugEvent::zone_finish;
    case ZoneOp::reset: break;
    }
    return DebugEvent::zone_reset;
}

/// Uses a mask, because the alignment is a power of two and a division would be measurable.
uint64_t align_down(uint64_t value, uint64_t alignment) {
    return value & ~(alignment - 1);
}

uint64_t align_up(uint64_t value, uint64_t alignment) {
    return align_down(value + alignment - 1, alignment);
}

} // namespace

BlockNode::BlockNode(const DriverInfo& info, std::unique_ptr<BlockDriver> driver, NodeFlags flags, std::string name,
                     std::string filename)
    : info_(info), driver_(std::move(driver)), flags_(flags), name_(std::move(name)), filename_(std::move(filename)),
      breakpoints_(driver_->extras().breakpoints),
      has_events_(breakpoints_ != nullptr || (driver_->child() != nullptr && driver_->child()->has_events_)) {
    take_over_unflushed();
}

void BlockNode::take_over_unflushed() {
    if (driver_->traits().has_unflushed) {
        mark_written();
    }
}

BlockNode::~BlockNode() {
    set_written(false);
    try {
        const Status status = flush();
        if (!status.ok() && close_notices_ != nullptr) {
            close_notices_->push_back(
                {false, fmt::format("Failed flush for '{}' during close: {}", name_when_closed(), status.message())});
        }
    } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
    }
}

void BlockNode::tell_when_closed(std::vector<Notice>& notices, bool below_format) {
    close_notices_ = &notices;
    below_format_ = below_format;
    if (child() != nullptr) {
        driver_->child()->tell_when_closed(notices, below_format || !info_.is_protocol);
    }
}

/// Informs this node, and through it the nodes below, whether a user writes to it.
void BlockNode::set_written(bool written) {
    written_ = written;
    if (child() != nullptr) {
        driver_->child()->set_written(written || driver_->traits().keeps_writing);
    }
}

/// QEMU gives a node its full name when a format is opened on top of it; before that, the node has the name by which it
/// was opened.
std::string BlockNode::name_when_closed() const {
    if (below_format_) {
        return shown_name();
    }
    if (!info_.is_protocol && child() != nullptr) {
        return child()->shown_name();
    }
    return info_.needs_filename ? filename_ : name_;
}

bool BlockNode::has_plain_name() const {
    if (info_.is_protocol) {
        return !filename_.empty() && filename_.size() < PATH_MAX && !filename_.starts_with("json:");
    }
    // The chain that the name alone gives: a format directly on top of a file.
    const bool is_window = options_.contains("size") || options_.contains("offset");
    return !info_.is_filter && !is_window && child() != nullptr && child()->info_.is_protocol && child()->has_plain_name();
}

std::string BlockNode::shown_name() const {
    std::string name = has_plain_name() ? filename_ : "json:" + to_json();
    // QEMU keeps it in PATH_MAX bytes.
    constexpr size_t longest = PATH_MAX - 1;
    if (name.size() > longest) {
        name.replace(longest - 3, std::string::npos, "...");
    }
    return name;
}

std::string BlockNode::to_json() const {
    if (filename_.starts_with("json:") && info_.is_protocol) {
        return filename_.substr(filename_.find('{'));
    }
    Options shown;
    for (const char* key : {"size", "offset", "read-zeroes", "config", "throttle-group", "path", "host", "port", "export", "tls-creds",
                            "tls-hostname"}) {
        if (const OptionValue* value = options_.find(key)) {
            shown.set(key, *value);
        }
    }
    for (const auto& [key, value] : options_.all()) {
        if (key.starts_with("server.")) {
            shown.set(key, value);
        }
    }
    shown.set("driver", std::string(info_.name));
    if (child() != nullptr) {
        return shown.to_json({{info_.own_child.empty() ? "file" : std::string(info_.own_child), child()->to_json()}});
    }
    if (info_.needs_filename) {
        shown.set("filename", filename_);
    }
    return shown.to_json();
}

BlockNode::Padding BlockNode::padding(uint64_t offset, uint64_t bytes) const {
    const uint64_t alignment = limits().request_alignment;
    Padding pad;
    pad.begin = align_down(offset, alignment);
    pad.end = align_up(offset + bytes, alignment);
    pad.head = offset - pad.begin;
    pad.tail = pad.end - offset - bytes;
    return pad;
}

uint64_t BlockNode::transfer_limit() const {
    constexpr uint64_t largest = INT32_MAX;
    const Limits& own = limits();
    const uint64_t limit = own.max_transfer == 0 ? largest : std::min(own.max_transfer, largest);
    return std::max<uint64_t>(align_down(limit, own.request_alignment), own.request_alignment);
}

/// Makes flushes of a node run one after the other where a flush may stop at a breakpoint.
class BlockNode::FlushTurn {
public:
    explicit FlushTurn(BlockNode& node) : node_(node), task_(node.has_events_ ? Task::current() : nullptr) {
        if (task_ == nullptr) {
            return;
        }
        while (node_.flushing_ != nullptr) {
            node_.flush_waiters_.push_back(task_);
            task_->park(node_.flushing_);
        }
        node_.flushing_ = task_;
    }
    FlushTurn(const FlushTurn&) = delete;
    FlushTurn& operator=(const FlushTurn&) = delete;
    ~FlushTurn() {
        if (task_ == nullptr) {
            return;
        }
        node_.flushing_ = nullptr;
        for (Task* const waiter : node_.flush_waiters_) {
            waiter->wake();
        }
        node_.flush_waiters_.clear();
    }

private:
    BlockNode& node_;
    Task* const task_;
};

Status BlockNode::flush() {
    if (flags_.read_only) {
        return {};
    }
    const uint64_t writes = writes_.load(std::memory_order_acquire);
    const bool owns_flush = driver_->traits().owns_flush;
    BlockNode* const below = owns_flush ? nullptr : driver_->child();
    const FlushTurn turn(*this);
    if (below != nullptr) {
        below->raise(DebugEvent::flush_to_os);
    }
    const bool has_nothing = flags_.no_flush || writes == flushed_.load(std::memory_order_acquire);
    if (has_nothing && !owns_flush) {
        return below != nullptr && below->is_written() ? below->flush() : Status();
    }
    if (below != nullptr) {
        below->raise(DebugEvent::flush_to_disk);
    }
    TRY(driver_->flush());
    flushed_.store(writes, std::memory_order_release);
    return {};
}

Status BlockNode::truncate(uint64_t size, PreallocMode mode) {
    if (size > static_cast<uint64_t>(max_image_length)) {
        return Status::error(EFBIG, fmt::format("offset({}) exceeds maximum({})", size, max_image_length));
    }
    TRY(driver_->truncate(size, mode));
    mark_written();
    return {};
}

Result<uint64_t> BlockNode::length() {
    Result<uint64_t> length = driver_->length();
    if (length.ok()) {
        *length = align_up(*length, sector_size);
    }
    return length;
}

Result<uint64_t> BlockNode::zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) {
    raise(DebugEvent::zone_report);
    ZoneOperations* const zones = driver_->extras().zones;
    return zones != nullptr ? zones->zone_report(offset, count, visit) : Status::from_errno(ENOTSUP);
}

Status BlockNode::zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) {
    raise(management_event(op));
    ZoneOperations* const zones = driver_->extras().zones;
    Status status = zones != nullptr ? zones->zone_mgmt(op, offset, bytes) : Status::from_errno(ENOTSUP);
    raise(DebugEvent::zone_mgmt_done);
    mark_written();
    return status;
}

Result<uint64_t> BlockNode::zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) {
    raise(DebugEvent::zone_append);
    ZoneOperations* const zones = driver_->extras().zones;
    Result<uint64_t> position = zones != nullptr ? zones->zone_append(offset, iov, flags) : Status::from_errno(ENOTSUP);
    raise(DebugEvent::zone_append_done);
    mark_written();
    if (position.ok() && flags.fua && !driver_->traits().passes_fua) {
        TRY(flush());
    }
    return position;
}

Status BlockNode::set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) {
    ZoneOperations* const zones = driver_->extras().zones;
    Status status = zones != nullptr ? zones->set_zone_state(offset, bytes, state) : Status::from_errno(ENOTSUP);
    mark_written();
    return status;
}

std::optional<FdIo> BlockNode::native_io(Request& request, uint64_t offset) {
    NativeFile* const file = driver_->extras().native_file;
    if (file == nullptr) {
        return std::nullopt;
    }
    const bool moves_data = request.op == RequestOp::read || request.op == RequestOp::write;
    if (moves_data && (padding(offset, request.bytes).needed() || request.bytes > transfer_limit())) {
        return std::nullopt;
    }
    if (request.op == RequestOp::write && (request.flags.compressed || flags_.detect_zeroes != DetectZeroes::off)) {
        return std::nullopt;
    }
    if (request.op == RequestOp::read && flags_.copy_on_read) {
        return std::nullopt;
    }
    if (moves_data && needs_tracking()) {
        auto ticket = RequestTracker::Ticket::without_waiting(tracker_, offset, offset + request.bytes);
        if (ticket == nullptr) {
            return std::nullopt;
        }
        request.holds.push_back(std::move(ticket));
    }
    request.flags.fua = request.flags.fua && !flags_.no_flush;
    std::optional<FdIo> io = file->native_io(request, offset);
    if (io) {
        if (request.op == RequestOp::read) {
            trace_bdrv_co_preadv_part(driver_.get(), offset, request.bytes, 0);
        } else if (request.op == RequestOp::write) {
            trace_bdrv_co_pwritev_part(driver_.get(), offset, request.bytes, request.flags.bits());
        }
        io->sync_after = io->sync_after && !flags_.no_flush;
    }
    return io;
}

void BlockNode::note_native_write() {
    mark_written();
    if (BlockNode* const below = driver_->child()) {
        below->note_native_write();
    }
}

void BlockNode::note_sync_error(int error) {
    if (NativeFile* const file = driver_->extras().native_file) {
        file->note_sync_error(error);
    }
    if (BlockNode* const below = driver_->child()) {
        below->note_sync_error(error);
    }
}

bool BlockNode::may_only_write(const Permissions& permissions) {
    return (permissions.taken & changing_permissions) == Permissions::write;
}

Status BlockNode::check_whole_blocks(const Permissions& permissions) {
    const Result<uint64_t> bytes = length();
    if (may_only_write(permissions) && bytes.ok() && *bytes % limits().request_alignment != 0) {
        return Status::invalid("Cannot get 'write' permission without 'resize': "
                               "Image size is not a multiple of request alignment");
    }
    return {};
}

Status BlockNode::set_permissions(const Permissions& permissions) {
    if ((permissions.taken & changing_permissions) != 0 && flags_.read_only) {
        return Status::error(EPERM, "Block node is read-only").because(Cause::read_only_node);
    }
    TRY(check_whole_blocks(permissions));
    TRY(driver_->set_permissions(permissions));
    permissions_ = permissions;
    return {};
}

} // namespace zoneio
