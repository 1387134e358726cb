// SPDX-License-Identifier: GPL-3.0-or-later
//
// Serving the open image to others. A kind of export is one file that turns its protocol into `Request`s for a BackendPort.
#pragma once

#include "block/backend.h"
#include "block/export/counters.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

struct ExportOptions {
    std::string name;       ///< also the serial number that a guest sees, at most 20 bytes of it
    std::string address;    ///< vhost-user: of the socket; ublk: of the block device, set by the export
    bool read_only = false;
    bool once = false;      ///< ends when the first front end has left
    uint16_t queues = 1;
    uint16_t depth = 128;           ///< ublk: requests of a queue
    std::optional<uint32_t> device = {}; ///< ublk: number of the device; nothing: the kernel chooses one
    bool recover = false;           ///< ublk: take over the device that a server has left
};

/// What is served, as it is now.
struct ExportState {
    bool is_connected = false;
    bool takes_zones = false;   ///< the front end's driver has accepted zones
    bool has_ended = false;
    uint64_t connections = 0;   ///< so far
    uint64_t problems = 0;      ///< how often a front end broke the rules
    std::string last_problem;
};

/// The open image, served by a thread of its own until it is stopped.
class Export {
public:
    explicit Export(ExportOptions options) : options_(std::move(options)) {}
    Export(const Export&) = delete;
    Export& operator=(const Export&) = delete;
    virtual ~Export() = default;

    virtual std::string_view kind() const = 0;
    const ExportOptions& options() const { return options_; }
    const ServedCounters& counters() const { return counters_; }
    virtual ExportState state() const = 0;
    /// EBUSY, and who, as long as others use what is served in a way that its end would harm.
    virtual Status check_unused() const { return {}; }
    /// Waits until check_unused() is well, finishes the requests that are under way, then ends. The caller does not hold the turn, see BackendPort.
    virtual void stop() = 0;
    /// Readable when it has ended by itself.
    virtual int ended_fd() const = 0;
    /// Another thread has let requests go on: the export is to look at its own.
    virtual void look() = 0;

protected:
    ExportOptions options_;
    ServedCounters counters_;
};

inline constexpr uint16_t most_export_queues = 64;

/// Serves by vhost-user at a socket. `turn` is held by the caller's thread whenever it uses the backend, which outlives
/// the export; write permission has been taken unless it is read-only. EADDRINUSE: somebody listens there; EEXIST: there is
/// something else than a socket.
Result<std::unique_ptr<Export>> export_vhost_user(BlockBackend& backend, std::mutex& turn, ExportOptions options);

inline constexpr uint16_t most_export_depth = 4096;

/// Serves by ublk, as /dev/ublkbN of the running kernel. As above, but the caller must not hold the turn: the kernel reads
/// the device before this returns. Causes: no_ublk, ublk_needs_root, ublk_too_old, ublk_zone_size, ublk_block_size,
/// ublk_not_waiting.
Result<std::unique_ptr<Export>> export_ublk(BlockBackend& backend, std::mutex& turn, ExportOptions options);

} // namespace zoneio
