// SPDX-License-Identifier: GPL-3.0-or-later
//
// What only some drivers have. A driver hands out those of its own, see BlockDriver::extras().
#pragma once

#include "block/base/status.h"
#include "block/node/debug_event.h"
#include "block/node/request.h"
#include "block/node/zone.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zoneio {

class Task;

/// The zones of a zoned device. Offsets and lengths are bytes.
class ZoneOperations {
public:
    /// Calls `visit` for up to `count` zones from the one that holds `offset`; returns how many.
    virtual Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) = 0;
    virtual Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) = 0;
    /// Writes at the write pointer of the zone at `offset`; returns where the data went.
    virtual Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) = 0;
    /// Puts the zones that begin in a range out of use (read_only, offline) or takes them back (empty), as a device
    /// does by itself when its medium fails. ENOTSUP where that cannot be had on demand.
    virtual Status set_zone_condition(uint64_t /*offset*/, uint64_t /*bytes*/, ZoneState /*state*/) {
        return Status::from_errno(ENOTSUP);
    }
    virtual ZoneControl zone_control() const { return {}; }

protected:
    ~ZoneOperations() = default;
};

/// Fault injection (blkdebug): requests are told of as they pass, and may be stopped. Who has it needs requests to be tasks.
class Breakpoints {
public:
    /// A request comes to a point where it may be stopped: returns when it goes on.
    virtual void debug_event(DebugEvent event) = 0;
    virtual Status set_breakpoint(std::string_view event, std::string_view tag) = 0;
    virtual Status remove_breakpoint(std::string_view tag) = 0;
    virtual Status resume(std::string_view tag) = 0;
    virtual bool is_suspended(std::string_view tag) const = 0;
    /// The tags of breakpoints that wait for requests, or of requests that are held.
    virtual std::vector<std::string> tags(bool held) const = 0;
    /// Lets one suspended request go on, that of `task` or, for null, the newest; returns its tag.
    virtual std::optional<std::string> release(const Task* task) = 0;

protected:
    ~Breakpoints() = default;
};

/// What there is to tell about an image besides the name of its format.
struct ImageDetails {
    uint64_t cluster_size = 0;    ///< bytes; 0: there are no clusters
    uint64_t vm_state_offset = 0; ///< bytes
    std::vector<std::pair<std::string_view, std::string_view>> specific; ///< what this format alone has
};

/// What an image has that keeps clusters of its own: room for the state of a virtual machine, compression, copies of
/// what is below. ENOTSUP where one of them is missing.
class VmState {
public:
    virtual ImageDetails details() const = 0;
    virtual Status read_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    virtual Status write_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    /// Whole clusters, stored compressed where that saves anything.
    virtual Status pwritev_compressed(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    /// Copies what is read in a range from below this driver into it (copy-on-read). False where that is left to the node.
    virtual Result<bool> populate(uint64_t offset, uint64_t bytes) = 0;

protected:
    ~VmState() = default;
};

/// A file descriptor and position that stand for the same request: what an engine can give to the kernel.
struct FdIo {
    int fd = -1;
    uint64_t offset = 0;     ///< bytes
    bool sync_after = false; ///< a write that must be on the medium when done
};

/// The file below a driver, where requests can reach it without the driver.
class NativeFile {
public:
    /// How to do a request without the driver, where that is the same. `offset` is where it is in this node; it is within
    /// the limits.
    virtual std::optional<FdIo> native_io(Request& request, uint64_t offset) = 0;
    /// That of the file which holds the image byte for byte from its begin; -1 where there is none. Good until a reopen.
    virtual int descriptor() const = 0;
    /// An fdatasync that an engine made on this driver's descriptor failed.
    virtual void note_sync_error(int /*error*/) {}

protected:
    ~NativeFile() = default;
};

/// Those that one driver has; null: it has not.
struct DriverExtras {
    ZoneOperations* zones = nullptr;
    Breakpoints* breakpoints = nullptr;
    VmState* vm_state = nullptr;
    NativeFile* native_file = nullptr;
};

} // namespace zoneio
