// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/debug_event.h"
#include "block/node/limits.h"
#include "block/node/mode_words.h"
#include "block/node/request.h"
#include "block/node/zone.h"
#include "block/options/options.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

class BlockNode;
class Task;
struct OpenContext;

/// What one who uses an image may do to it, and lets others do. The bits are upstream's, and with that
/// the bytes of the image that are locked: see FileLock.
struct Permissions {
    static constexpr unsigned consistent_read = 1U << 0;
    static constexpr unsigned write = 1U << 1;
    static constexpr unsigned write_unchanged = 1U << 2;
    static constexpr unsigned resize = 1U << 3;
    static constexpr unsigned all = 0xF;

    unsigned taken = 0;    ///< what we do
    unsigned shared = all; ///< what others may do
};

/// The settings that every node has, whatever its driver.
struct NodeFlags {
    bool read_only = false;
    bool auto_read_only = false; ///< open the file for writing only while somebody writes
    bool direct = false;         ///< O_DIRECT
    bool no_flush = false;       ///< flushes stay in memory (cache=unsafe)
    bool unmap = false;          ///< discards are done, not ignored
    bool force_share = false;
    bool copy_on_read = false;
    DetectZeroes detect_zeroes = DetectZeroes::off;
};

/// What a range of an image is made of.
struct BlockExtent {
    uint64_t bytes = 0; ///< how far it goes on like this
    bool data = false;  ///< reads come from storage here
    bool zero = false;  ///< reads give zeros
    /// Upstream's meaning: the image itself, not a backing file, decides what is read.
    bool allocated() const { return data || zero; }
};

/// A file descriptor and position that stand for the same request: what an engine can give to the kernel.
struct FdIo {
    int fd = -1;
    uint64_t offset = 0;     ///< bytes
    bool sync_after = false; ///< a write that must be on the medium when done
};

/// A reopen that is prepared but has not happened; destroyed without commit() it leaves no trace.
class PendingReopen {
public:
    virtual ~PendingReopen() = default;
    /// Makes the new settings the current ones. Cannot fail.
    virtual void commit() = 0;
};

/// What there is to tell about an image besides the name of its format.
struct ImageDetails {
    uint64_t cluster_size = 0;    ///< bytes; 0: there are no clusters
    uint64_t vm_state_offset = 0; ///< bytes
    std::vector<std::pair<std::string_view, std::string_view>> specific; ///< what this format alone has
};

using ZoneVisitor = std::function<void(const ZoneDescriptor&)>;

/// What a driver implements. Every method blocks until its work is done; data methods may be called from
/// several threads at once.
///
/// Ranges, alignment and permissions have been checked, and requests been cut to the limits, by BlockNode and
/// BlockBackend: a driver neither checks them nor prints. Offsets and lengths are bytes.
class BlockDriver {
public:
    BlockDriver() = default;
    BlockDriver(const BlockDriver&) = delete;
    BlockDriver& operator=(const BlockDriver&) = delete;
    virtual ~BlockDriver() = default;

    /// Fills the whole iov; past the end of the storage it reads zeros.
    virtual Status preadv(uint64_t offset, const IoVec& iov) = 0;
    virtual Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) = 0;
    /// Brings what was written to the medium.
    virtual Status flush() = 0;

    /// ENOTSUP: let the node write zeros instead, unless flags.no_fallback.
    virtual Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    virtual bool can_write_zeroes() const { return false; }
    /// ENOTSUP counts as done: a discard is advice.
    virtual Status pdiscard(uint64_t offset, uint64_t bytes);
    virtual Status truncate(uint64_t size, PreallocMode mode);
    /// The extent that begins at `offset`, at most `bytes` long; bytes > 0. Without `want_zero` only
    /// allocated() matters, and data and zeros may be told as one extent.
    virtual Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);

    /// Exact length in bytes.
    virtual Result<uint64_t> length() = 0;
    virtual const Limits& limits() const { return limits_; }
    /// Is there something to tell about clusters? ENOTSUP where not.
    virtual Status info() { return Status::from_errno(ENOTSUP); }
    /// What there is to tell, where info() succeeds.
    virtual ImageDetails details() { return {}; }

    /// Whole clusters, stored compressed where that saves anything. ENOTSUP where there is no such thing.
    virtual Status pwritev_compressed(uint64_t offset, const IoVec& iov);
    /// What a virtual machine keeps besides its disk. ENOTSUP where there is no place for it.
    virtual Status read_vmstate(uint64_t offset, const IoVec& iov);
    virtual Status write_vmstate(uint64_t offset, const IoVec& iov);
    /// Copies what is read in a range from below this driver into it (copy-on-read). False where that is left to the node.
    virtual Result<bool> populate(uint64_t offset, uint64_t bytes);

    /// Calls `visit` for up to `count` zones from the one that holds `offset`; returns how many.
    virtual Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit);
    virtual Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes);
    /// Writes at the write pointer of the zone at `offset`; returns where the data went.
    virtual Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags);
    /// Puts the zones that begin in a range out of use (read_only, offline) or takes them back (empty), as a device
    /// does by itself when its medium fails. ENOTSUP where that cannot be had on demand.
    virtual Status set_zone_condition(uint64_t offset, uint64_t bytes, ZoneState state);

    /// Does it matter to this driver in how many requests something is done?
    virtual bool counts_requests() const { return false; }

    /// How to do a request without the driver, where that is the same. `offset` is where it is in this node; it is within
    /// the limits.
    virtual std::optional<FdIo> native_io(Request& request, uint64_t offset);
    /// That of the file which holds the image byte for byte from its begin; -1 where there is none. Good until a reopen.
    virtual int descriptor() const { return -1; }
    /// An fdatasync that an engine made on this driver's descriptor failed.
    virtual void note_sync_error(int /*error*/) {}
    /// The engine that asynchronous requests of this chain should use.
    virtual AioMode aio_mode() const { return AioMode::threads; }

    /// Takes and checks permissions; on failure the earlier ones hold on.
    virtual Status set_permissions(const Permissions& /*permissions*/) { return {}; }
    /// Understands the options it can change, takes them out, and prepares the change.
    virtual Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags);

    /// Can it be reopened at all?
    virtual bool can_reopen() const { return true; }
    /// Somebody waits for everything that is under way (on), or no longer: nobody is held back meanwhile.
    virtual void drain(bool /*on*/) {}

    /// Are writes that must be on the medium when done handed down as such? The node below takes care of it then.
    virtual bool passes_fua() const { return false; }
    /// Does a request end without waiting for anything?
    virtual bool completes_at_once() const { return false; }

    // Fault injection (blkdebug); who has a child passes it down. ENOTSUP at the bottom.

    /// Is debug_event() to be called? Asked once.
    virtual bool takes_debug_events() const { return false; }
    /// A request comes to a point where it may be stopped: returns when it goes on.
    virtual void debug_event(DebugEvent /*event*/) {}
    /// Are there drivers here or below that stop requests at breakpoints? Requests have to be tasks then.
    virtual bool has_breakpoints() const { return false; }
    virtual Status debug_breakpoint(std::string_view event, std::string_view tag);
    virtual Status debug_remove_breakpoint(std::string_view tag);
    virtual Status debug_resume(std::string_view tag);
    virtual bool debug_is_suspended(std::string_view /*tag*/) { return false; }
    /// The tags of breakpoints that wait for requests, or of requests that are held.
    virtual std::vector<std::string> debug_tags(bool /*held*/) { return {}; }
    /// Lets one suspended request go on, that of `task` or, for null, the newest; returns its tag.
    virtual std::optional<std::string> debug_release(const Task* /*task*/) { return std::nullopt; }

    /// The node below, or null at the bottom.
    virtual BlockNode* child() const { return nullptr; }

protected:
    Limits limits_;
};

/// BlockDriver::truncate for a device, whose `length` is what it is.
Status truncate_device(uint64_t size, PreallocMode mode, const Result<uint64_t>& length);

/// A row of the driver table.
struct DriverInfo {
    std::string_view name;
    bool is_protocol;    ///< at the bottom: it has no `file` child
    bool needs_filename; ///< takes the option `filename`
    /// `PREFIX:REST` given as a name: what it means for `filename`. Null: the prefix is cut.
    Status (*parse_filename)(const std::string& name, Options& options);
    Result<std::unique_ptr<BlockDriver>> (*open)(OpenContext& context, Options& options);
    /// The keys it understands, for completion.
    std::span<const std::string_view> option_keys;
    /// Its `file` may be a host-managed zoned device: its writes keep the order that zones need.
    bool takes_zoned_child = false;
    /// There is something to open without a `filename`, too.
    bool filename_optional = false;
    /// The key of a child that the driver opens itself, at a time of its choice; empty: none.
    std::string_view own_child = {};
    /// Shows its child as it is, and has no format of its own.
    bool is_filter = false;
    /// Does an image that begins like this hold its format? Null: it is never found by probing.
    bool (*recognises)(std::span<const uint8_t> head) = nullptr;
};

/// All drivers, by name.
std::span<const DriverInfo> driver_table();
/// Null when there is none of that name.
const DriverInfo* find_driver(std::string_view name);

} // namespace zoneio
