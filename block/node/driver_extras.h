// SPDX-License-Identifier: GPL-3.0-or-later
//
// Interfaces that only some drivers implement. BlockDriver::extras() returns those of a driver.
#pragma once

#include "block/base/status.h"
#include "block/node/debug_event.h"
#include "block/node/request.h"
#include "block/node/zone.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zoneio {

class Task;

/// Zone commands of a zoned device. Offsets and lengths are in bytes.
class ZoneOperations {
public:
    /// Calls `visit` for up to `count` zones, starting with the zone that contains `offset`. Returns the number of zones.
    virtual Result<uint64_t> zone_report(uint64_t offset, uint64_t count, const ZoneVisitor& visit) = 0;
    virtual Status zone_mgmt(ZoneOp op, uint64_t offset, uint64_t bytes) = 0;
    /// Writes at the write pointer of the zone that starts at `offset`. Returns the offset of the data.
    virtual Result<uint64_t> zone_append(uint64_t offset, const IoVec& iov, WriteFlags flags) = 0;
    /// Sets the state of all zones that start in a range to read_only, offline or empty. Real devices set the first two
    /// themselves when the medium fails, and return ENOTSUP here.
    virtual Status set_zone_state(uint64_t /*offset*/, uint64_t /*bytes*/, ZoneState /*state*/) {
        return Status::from_errno(ENOTSUP);
    }
    virtual ZoneControl zone_control() const { return {}; }

protected:
    ~ZoneOperations() = default;
};

/// Fault injection (blkdebug): is called when requests reach events, and may stop them. Requires requests to be tasks.
class Breakpoints {
public:
    /// Reports that a request has reached an event where it may stop. Returns when the request continues.
    virtual void debug_event(DebugEvent event) = 0;
    virtual Status set_breakpoint(std::string_view event, std::string_view tag) = 0;
    virtual Status remove_breakpoint(std::string_view tag) = 0;
    virtual Status resume(std::string_view tag) = 0;
    virtual bool is_suspended(std::string_view tag) const = 0;
    /// Tags of breakpoints that wait for a request or, with `held`, of held requests.
    virtual std::vector<std::string> tags(bool held) const = 0;
    /// Resumes the suspended request of `task`, or the newest one if `task` is null. Returns its tag.
    virtual std::optional<std::string> release(const Task* task) = 0;

protected:
    ~Breakpoints() = default;
};

/// A log of all writes (blklogwrites).
class WriteLog {
public:
    /// Logs a mark after everything that has been logged so far. EINVAL: the name is too long for the log.
    virtual Status mark(std::string_view name) = 0;

protected:
    ~WriteLog() = default;
};

/// Details of an image besides the name of its format.
struct ImageDetails {
    uint64_t cluster_size = 0;    ///< in bytes; 0: no clusters
    uint64_t vm_state_offset = 0; ///< bytes
    std::vector<std::pair<std::string_view, std::string_view>> specific; ///< details of this format only: key and value
};

/// Operations of an image with clusters: state of a virtual machine, compression, copy-on-read. A missing operation
/// returns ENOTSUP.
class VmState {
public:
    virtual ImageDetails details() const = 0;
    virtual Status read_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    virtual Status write_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    /// Writes whole clusters, compressed if that saves space.
    virtual Status pwritev_compressed(uint64_t /*offset*/, const IoVec& /*iov*/) { return Status::from_errno(ENOTSUP); }
    /// Copies a range from the node below into this image (copy-on-read). False: the node must copy it.
    virtual Result<bool> populate(uint64_t offset, uint64_t bytes) = 0;

protected:
    ~VmState() = default;
};

/// Descriptor and offset with which an engine passes a request to the kernel. With a RemoteQueue, only the offset
/// counts.
struct FdIo {
    int fd = -1;
    uint64_t offset = 0;     ///< bytes
    bool sync_after = false; ///< true for a write after which the file must be synced before the request ends
};

/// Connections of a driver to its server.
struct RemoteConnections {
    unsigned usable = 0;   ///< number of connections that are not broken
    unsigned wanted = 1;   ///< number of connections that the options ask for
    bool only_one = false; ///< the server allows one connection only
};

/// Requests that a driver keeps in flight itself, such as those to a server. Used only by the thread that runs
/// commands.
class RemoteQueue {
public:
    /// Starts a read or write that native_io accepted. False: the blocking methods have to do it.
    virtual bool start(Request& request, uint64_t offset) = 0;
    /// Finished requests as a linked list, with their status. With `wait`, waits for at least one if any is in flight.
    /// A status of EAGAIN means that the request should be retried by the blocking methods.
    virtual Request* take_finished(bool wait) = 0;
    virtual size_t in_flight() const = 0;
    /// Readable when take_finished() would find a request; spurious wakeups are possible.
    virtual int event_fd() = 0;
    virtual RemoteConnections connections() const = 0;

protected:
    ~RemoteQueue() = default;
};

/// Direct access to the file below a driver.
class NativeFile {
public:
    /// The system call that is equivalent to a request; nothing if there is none. `offset`: of the request in this node. The
    /// request is within the limits.
    virtual std::optional<FdIo> native_io(Request& request, uint64_t offset) = 0;
    /// Descriptor of the file that holds the image at offset 0, or -1. Valid until the next reopen.
    virtual int descriptor() const = 0;
    /// Called when an engine's fdatasync on this driver's descriptor has failed.
    virtual void note_sync_error(int /*error*/) {}

protected:
    ~NativeFile() = default;
};

/// The interfaces that one driver implements; null for the others.
struct DriverExtras {
    ZoneOperations* zones = nullptr;
    Breakpoints* breakpoints = nullptr;
    WriteLog* write_log = nullptr;
    VmState* vm_state = nullptr;
    NativeFile* native_file = nullptr;
    RemoteQueue* remote_queue = nullptr;
};

} // namespace zoneio
