// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/driver_extras.h"
#include "block/node/limits.h"
#include "block/node/mode_words.h"
#include "block/node/request.h"
#include "block/options/options.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

class BlockNode;
struct OpenContext;

/// Operations that a user of an image performs, and operations that this user allows others to perform. The bits are
/// QEMU's. They select the bytes of the file that are locked, see FileLock.
struct Permissions {
    static constexpr unsigned consistent_read = 1U << 0;
    static constexpr unsigned write = 1U << 1;
    static constexpr unsigned write_unchanged = 1U << 2;
    static constexpr unsigned resize = 1U << 3;
    static constexpr unsigned all = 0xF;

    unsigned taken = 0;    ///< operations that this user performs
    unsigned shared = all; ///< operations that others may perform
};

/// The settings that every node has, whatever its driver.
struct NodeFlags {
    bool read_only = false;
    bool auto_read_only = false; ///< open the file for writing only while a node above may write
    bool direct = false;         ///< O_DIRECT
    bool no_flush = false;       ///< ignore flushes (cache=unsafe)
    bool unmap = false;          ///< pass discards on instead of ignoring them
    bool force_share = false;
    bool copy_on_read = false;
    DetectZeroes detect_zeroes = DetectZeroes::off;
};

/// A range of an image whose bytes are all stored in one way.
struct BlockExtent {
    uint64_t bytes = 0; ///< length of the range
    bool data = false;  ///< reads return stored data
    bool zero = false;  ///< reads return zeros
    /// True when the image itself decides what is read, not a backing file. The meaning is QEMU's.
    bool allocated() const { return data || zero; }
};

/// A prepared reopen. Destroying it without commit() changes nothing.
class PendingReopen {
public:
    virtual ~PendingReopen() = default;
    /// Makes the new settings the current ones. Cannot fail.
    virtual void commit() = 0;
};

/// A reopen that has prepared nothing: `commit` does it all.
template <typename Commit>
std::unique_ptr<PendingReopen> reopen_by(Commit commit) {
    class Reopen : public PendingReopen {
    public:
        explicit Reopen(Commit work) : work_(std::move(work)) {}
        void commit() override { work_(); }

    private:
        Commit work_;
    };
    return std::make_unique<Reopen>(std::move(commit));
}

/// Properties of an open driver. They do not change while it is open.
struct Traits {
    AioMode aio = AioMode::threads; ///< engine for asynchronous requests of this chain
    bool writes_zeroes = false;     ///< pwrite_zeroes() may be cheaper than writing zeros as data
    bool passes_fua = false; ///< passes WriteFlags::fua to the node below, which forces the write out
    bool has_fua = false; ///< the storage forces out a single write or zero write; each part of a split write needs the flag
    bool counts_requests = false;   ///< the number of requests is visible, so they must not be split
    bool completes_at_once = false; ///< requests never wait
    bool has_info = false;          ///< `info` succeeds on it, even if it has no details to show
    bool can_reopen = true; ///< false for nodes that cannot be reopened
    /// Data written before this open (or reopen for writing) may not be on the medium, so the next flush must reach the driver.
    bool has_unflushed = false;
    bool owns_flush = false; ///< every flush of the node calls flush(), even if nothing was written
    /// The driver may write to its child while nobody writes to the driver. If false, closing this node does not flush the
    /// child; closing the child does.
    bool keeps_writing = true;
};

/// Interface of all drivers. Methods block until their work is done. Data methods may be called from several threads at
/// once.
///
/// BlockNode and BlockBackend check ranges, alignment and permissions and split requests at the limits before they call a
/// driver. A driver does not check them again and prints nothing. Offsets and lengths are in bytes.
class BlockDriver {
public:
    BlockDriver() = default;
    BlockDriver(const BlockDriver&) = delete;
    BlockDriver& operator=(const BlockDriver&) = delete;
    virtual ~BlockDriver() = default;

    const Limits& limits() const { return limits_; }
    const Traits& traits() const { return traits_; }
    /// Interfaces that only some drivers have.
    const DriverExtras& extras() const { return extras_; }

    /// Fills the whole iov. After the end of the storage it reads zeros.
    virtual Status preadv(uint64_t offset, const IoVec& iov) = 0;
    virtual Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) = 0;
    /// ENOTSUP: the node writes zeros as data instead, unless flags.no_fallback is set.
    virtual Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags);
    /// ENOTSUP counts as success, because a discard is only advice.
    virtual Status pdiscard(uint64_t offset, uint64_t bytes);
    /// Forces all written data to the medium.
    virtual Status flush() = 0;
    virtual Status truncate(uint64_t size, PreallocMode mode);
    /// The extent that starts at `offset`, at most `bytes` long; bytes > 0. Without `want_zero` the caller uses only
    /// allocated(), so data and zeros may form one extent.
    virtual Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool want_zero);
    /// Length in bytes, not rounded.
    virtual Result<uint64_t> length() = 0;

    /// Takes permissions after checking them. On failure the earlier permissions stay in force.
    virtual Status set_permissions(const Permissions& /*permissions*/) { return {}; }
    /// Takes the options that the driver can change out of `options` and prepares the change.
    virtual Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags);
    /// Reads the length, zones and limits again, because other programs may have changed them. Called after a reopen, from
    /// the bottom of the chain upwards. A value that cannot be read stays as it was.
    virtual void refresh() {}
    /// From drain(true) to drain(false) the caller waits for all requests; the driver must not delay any of them.
    virtual void drain(bool /*on*/) {}

    /// The node below; null for a driver at the bottom.
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

/// BlockDriver::truncate for a device, whose `length` cannot change.
Status truncate_device(uint64_t size, PreallocMode mode, const Result<uint64_t>& length);

/// A row of the driver table.
struct DriverInfo {
    std::string_view name;
    bool is_protocol;    ///< is at the bottom of a chain, without a `file` child
    bool needs_filename; ///< requires the option `filename`
    /// Turns the name `PREFIX:REST` into options. Null: the driver takes REST as its `filename`.
    Status (*parse_filename)(const std::string& name, Options& options);
    Result<std::unique_ptr<BlockDriver>> (*open)(OpenContext& context, Options& options);
    /// Keys of its own options, for completion and the manual.
    std::span<const std::string_view> option_keys;
    /// Its `file` may be a host-managed zoned device, because its writes keep the order that zones require.
    bool takes_zoned_child = false;
    /// Can be opened without a `filename`.
    bool filename_optional = false;
    /// Key of the child that the driver opens itself, at a time of its choice. Empty: the driver has no such child.
    std::string_view own_child = {};
    /// Passes requests to its child and has no format of its own.
    bool is_filter = false;
    /// True when the first bytes of an image show its format. Null: the driver is never found by probing.
    bool (*recognises)(std::span<const uint8_t> head) = nullptr;
    /// Other names of the protocol, for `NAME:REST`. `info` shows the last of them.
    std::span<const std::string_view> other_protocols = {};
};

/// All drivers, by name.
std::span<const DriverInfo> driver_table();
/// Null if no driver has this name.
const DriverInfo* find_driver(std::string_view name);

} // namespace zoneio
