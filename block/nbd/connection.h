// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "block/nbd/handshake.h"
#include "block/nbd/library.h"
#include "block/nbd/relay.h"
#include "block/nbd/settings.h"
#include "block/nbd/socket.h"
#include "block/nbd/watchdog.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace zoneio {

class NbdConnection;
struct Request;

/// An export as the server describes it. Sizes are in bytes.
struct NbdExport {
    uint64_t size = 0;
    NbdBlockSizes block_sizes;
    bool read_only = false;
    bool can_flush = false;
    bool can_fua = false;
    bool can_trim = false;
    bool can_zero = false;
    bool can_fast_zero = false;
    bool can_multi_conn = false;
    bool has_context = false; ///< the export has NbdSettings::context
};

/// Why the client broke a connection; `no`: it did not.
enum class NbdCut : uint8_t { no, interrupted, timed_out };

/// A command to the server. The caller owns it and its data, and keeps both until it is done.
struct NbdCommand {
    enum class Kind : uint8_t { read, write, zero, trim, flush, status };

    Kind kind = Kind::read;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    void* data = nullptr; ///< data of a read or write
    uint32_t flags = 0;   ///< LIBNBD_CMD_FLAG_*

    bool done = false;
    int error = 0;              ///< 0 or an errno
    bool lost = false;          ///< the connection broke before the answer
    NbdCut cut = NbdCut::no;    ///< lost: why
    bool may_repeat = false;    ///< lost: may be sent over another connection
    uint64_t extent_bytes = 0;  ///< status: length of the first extent; 0: the server reported none
    uint64_t extent_flags = 0;

    Request* request = nullptr; ///< an asynchronous request; null if a thread waits
    AlignedBuffer bounce;       ///< data of a request with several buffers
    NbdCommand* next = nullptr;
    NbdConnection* owner = nullptr; ///< set by issue()
};

/// One negotiated connection to a server. Not thread-safe.
class NbdConnection {
public:
    /// Connects and negotiates until the deadline. Errors have QEMU's texts.
    static Result<std::unique_ptr<NbdConnection>> open(const NbdLibrary& library, const NbdSettings& settings,
                                                       const NbdDeadline& deadline);
    ~NbdConnection();
    NbdConnection(const NbdConnection&) = delete;
    NbdConnection& operator=(const NbdConnection&) = delete;

    const NbdExport& facts() const { return facts_; }
    int fd() const { return fd_; }
    /// Events to wait for on fd(), for poll(2).
    short events() const;
    bool is_lost() const { return lost_; }
    /// True after libnbd has closed fd(), whose number may be in use by something else by now.
    bool has_closed_fd() const { return library_.aio_get_fd(handle_) < 0; }
    size_t in_flight() const { return in_flight_; }

    /// Sends a command. If that fails, the command is done and lost.
    void issue(NbdCommand& command);
    /// Receives and sends as much as possible without waiting. `happened`: events from poll(2).
    void progress(short happened);
    /// Breaks the connection. All commands are done and lost.
    void cut(NbdCut why);
    /// Commands of asynchronous requests that have finished since the last call, as a linked list.
    NbdCommand* take_finished() { return std::exchange(finished_, nullptr); }

private:
    NbdConnection(const NbdLibrary& library, nbd_handle* handle) : library_(library), handle_(handle) {}
    Status set_up(const NbdSettings& settings, const NbdDeadline& deadline);
    Status set_up_tls(const NbdSettings& settings, const NbdDeadline& deadline);
    Status explain(Status status, const NbdSettings& settings, const NbdDeadline& deadline) const;
    Status connect(const NbdSettings& settings, const NbdDeadline& deadline, std::optional<NbdWatchdog>& watchdog);
    Status negotiate(const NbdSettings& settings, const NbdDeadline& deadline);
    Status pump(const NbdSettings& settings, const NbdDeadline& deadline, const bool* done);
    Status leave_relay(const NbdDeadline& deadline);
    Status step(const NbdDeadline& deadline, std::chrono::seconds silence);
    Status why_failed(const NbdSettings& settings) const;
    std::string list_exports(const NbdSettings& settings);
    Status learn(const NbdSettings& settings);
    Status check_block_sizes() const;
    void finish(NbdCommand& command, int error);
    static int on_completion(void* command, int* error);
    static int on_extent(void* command, const char* context, uint64_t offset, uint32_t* entries, size_t count, int* error);
    void note_state();

    const NbdLibrary& library_;
    nbd_handle* handle_;
    int fd_ = -1;
    NbdExport facts_;
    bool has_block_sizes_ = false;    ///< the server sent its block sizes
    std::unique_ptr<NbdRelay> relay_; ///< used during negotiation, for sockets opened by zoneio
    bool lost_ = false;
    NbdCut cut_ = NbdCut::no;
    size_t in_flight_ = 0;
    const NbdCommand* issuing_ = nullptr; ///< the command that libnbd is sending at the moment
    NbdCommand* finished_ = nullptr;
};

} // namespace zoneio
