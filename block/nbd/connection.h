// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "block/nbd/address.h"
#include "block/nbd/handshake.h"
#include "block/nbd/library.h"
#include "block/nbd/relay.h"
#include "block/nbd/socket.h"
#include "block/objects/tls_credentials.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace zoneio {

class NbdConnection;
struct Request;

/// What to connect to, and how.
struct NbdSettings {
    NbdAddress address;
    std::string export_name;
    std::string context; ///< metadata context that block status is asked of
    const TlsCredentials* tls = nullptr;
    std::string tls_hostname; ///< that the server's certificate is for; empty: the host of the address
    std::chrono::seconds reconnect_delay{0};
    std::chrono::seconds open_timeout{0};
    std::chrono::seconds request_timeout{0}; ///< the longest silence while the server owes an answer; 0: no limit
};

/// An export, as the server describes it. Sizes in bytes.
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
    bool has_context = false; ///< NbdSettings::context
};

/// A request on the wire. Its owner keeps it, and the memory of its data, until it is done.
struct NbdCommand {
    enum class Kind : uint8_t { read, write, zero, trim, flush, status };

    Kind kind = Kind::read;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    void* data = nullptr; ///< read, write
    uint32_t flags = 0;   ///< LIBNBD_CMD_FLAG_*

    bool done = false;
    int error = 0;              ///< 0 or an errno
    bool lost = false;          ///< the connection broke before the answer
    uint64_t extent_bytes = 0;  ///< status: the first extent; 0: none was told
    uint64_t extent_flags = 0;

    Request* request = nullptr; ///< of an asynchronous one; null where a thread waits
    AlignedBuffer bounce;       ///< data of a request with several buffers
    NbdCommand* next = nullptr;
    NbdConnection* owner = nullptr; ///< set when it is issued
};

/// One connection to a server, negotiated. Not thread-safe.
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
    /// What to wait for on fd(), as poll(2) names it.
    short events() const;
    bool is_lost() const { return lost_; }
    size_t in_flight() const { return in_flight_; }

    /// Sends a command; on failure it is done and lost.
    void issue(NbdCommand& command);
    /// Receives and sends what can be without waiting, after poll(2) has told `happened`.
    void progress(short happened);
    /// Breaks the connection: all commands are done and lost.
    void cut();
    /// Those of asynchronous requests that are done since the last call, linked.
    NbdCommand* take_finished() { return std::exchange(finished_, nullptr); }

private:
    NbdConnection(const NbdLibrary& library, nbd_handle* handle) : library_(library), handle_(handle) {}
    Status set_up(const NbdSettings& settings, const NbdDeadline& deadline);
    Status set_up_tls(const NbdSettings& settings);
    Status connect(const NbdSettings& settings, const NbdDeadline& deadline);
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
    std::unique_ptr<NbdRelay> relay_; ///< while negotiating, where the socket was made here
    bool lost_ = false;
    size_t in_flight_ = 0;
    NbdCommand* finished_ = nullptr;
};

} // namespace zoneio
