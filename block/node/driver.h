// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/driver_extras.h"
#include "block/node/limits.h"
#include "block/node/mode_words.h"
#include "block/node/request.h"
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

/// A reopen that is prepared but has not happened; destroyed without commit() it leaves no trace.
class PendingReopen {
public:
    virtual ~PendingReopen() = default;
    /// Makes the new settings the current ones. Cannot fail.
    virtual void commit() = 0;
};

/// What is known of a driver once it is open, and does not change.
struct Traits {
    AioMode aio = AioMode::threads; ///< the engine that asynchronous requests of this chain should use
    bool writes_zeroes = false;     ///< it may have a better way to write zeros than as data
    bool passes_fua = false; ///< writes that must be on the medium when done are handed down as such, to who takes care of it
    bool counts_requests = false;   ///< it matters in how many requests something is done
    bool completes_at_once = false; ///< requests end without waiting for anything
    bool has_info = false;          ///< there is more to tell of it than its name, even if that is nothing
    bool can_reopen = true;
    /// What was written before this open, or reopen for writing, may not be on the medium: the next flush has something to do.
    bool has_unflushed = false;
    bool owns_flush = false; ///< its flush() is all that a flush of the node is, whatever was written
    /// It writes to its child also when nobody writes to it. Where it does not, a flush while it is closed leaves what the
    /// child holds to the flush with which the child itself is closed.
    bool keeps_writing = true;
};

/// What every driver answers. Every method blocks until its work is done; data methods may be called from several
/// threads at once.
///
/// Ranges, alignment and permissions have been checked, and requests been cut to the limits, by BlockNode and
/// BlockBackend: a driver neither checks them nor prints. Offsets and lengths are bytes.
class BlockDriver {
public:
    BlockDriver() = default;
    BlockDriver(const BlockDriver&) = delete;
    BlockDriver& operator=(const BlockDriver&) = delete;
    virtual ~BlockDriver() = default;

    const Limits& limits() const { return limits_; }
    const Traits& traits() const { return traits_; }
    /// What not every driver has.
    const DriverExtras& extras() const { return extras_; }

    /// Fills the whole iov; past the end of the storage it reads zeros.
    virtual Status preadv(uint64_t offset, const IoVec& iov) = 0;
    virtual Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) = 0;
    /// ENOTSUP: let the node write zeros instead, unless flags.no_fallback.
    virtual Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    /// ENOTSUP counts as done: a discard is advice.
    virtual Status pdiscard(uint64_t offset, uint64_t bytes);
    /// Brings what was written to the medium.
    virtual Status flush() = 0;
    virtual Status truncate(uint64_t size, PreallocMode mode);
    /// The extent that begins at `offset`, at most `bytes` long; bytes > 0. Without `want_zero` only
    /// allocated() matters, and data and zeros may be told as one extent.
    virtual Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);
    /// Exact length in bytes.
    virtual Result<uint64_t> length() = 0;

    /// Takes and checks permissions; on failure the earlier ones hold on.
    virtual Status set_permissions(const Permissions& /*permissions*/) { return {}; }
    /// Understands the options it can change, takes them out, and prepares the change.
    virtual Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags);
    /// Learns anew what others may have changed behind this node: the length, zones, limits. Called once a reopen has
    /// happened, from the bottom of the chain upwards; what cannot be learnt stays as it was.
    virtual void refresh() {}
    /// Somebody waits for everything that is under way (on), or no longer: nobody is held back meanwhile.
    virtual void drain(bool /*on*/) {}

    /// The node below, or null at the bottom.
    virtual BlockNode* child() const { return nullptr; }

protected:
    Limits limits_;
    Traits traits_;
    DriverExtras extras_;
};

/// See NativeFile::descriptor.
inline int descriptor_of(const BlockDriver& driver) {
    return driver.extras().native_file != nullptr ? driver.extras().native_file->descriptor() : -1;
}

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
