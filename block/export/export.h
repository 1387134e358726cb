// SPDX-License-Identifier: GPL-3.0-or-later
//
// Exports of the open image. Each kind of export is one file that turns its protocol into `Request`s for a BackendPort.
#pragma once

#include "block/backend.h"
#include "block/export/counters.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

struct ExportOptions {
    std::string name;       ///< the guest sees its first 20 bytes as the serial number
    std::string address;    ///< vhost-user: of the socket; ublk: of the block device, set by the export
    bool read_only = false;
    bool once = false;      ///< ends when the first front end disconnects
    uint16_t queues = 1;
    uint16_t depth = 128;           ///< ublk: requests per queue
    std::optional<uint32_t> device = {}; ///< ublk: number of the device; empty: chosen by the kernel
    bool recover = false;           ///< ublk: take over the device of a server that has ended
    /// Receives each protocol error of a front end, on the thread of the export; may be empty.
    std::function<void(const std::string& problem)> on_problem = {};
};

/// Present state of an export.
struct ExportState {
    bool is_connected = false;
    bool takes_zones = false;   ///< the front end's driver has accepted zones
    bool has_ended = false;
    uint64_t connections = 0;   ///< number of connections so far
    uint64_t problems = 0;      ///< number of protocol errors of front ends
    std::string last_problem;
};

/// The open image, exported by its own thread until stop().
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
    /// EBUSY while the exported device is mounted or otherwise in use, so that ending the export would do harm. The text
    /// names the users.
    virtual Status check_unused() const { return {}; }
    /// Waits until check_unused() succeeds, finishes requests in flight, and ends the export. REQUIRES: the caller does
    /// not hold the turn, see BackendPort.
    virtual void stop() = 0;
    /// Descriptor that becomes readable when the export ends by itself.
    virtual int ended_fd() const = 0;
    /// Called after another thread has resumed requests: the export checks its own requests.
    virtual void look() = 0;

protected:
    ExportOptions options_;
    ServedCounters counters_;
};

inline constexpr uint16_t most_export_queues = 64;

/// Exports the image by vhost-user at a socket. The backend must outlive the export. The calling thread holds `turn`
/// whenever it uses the backend. REQUIRES: the backend holds write permission, unless the export is read-only.
/// EADDRINUSE: another program listens at the socket. EEXIST: the file is not a socket.
Result<std::unique_ptr<Export>> export_vhost_user(BlockBackend& backend, std::mutex& turn, ExportOptions options);

inline constexpr uint16_t most_export_depth = 4096;

/// Exports the image by ublk as /dev/ublkbN of the running kernel. REQUIRES: as export_vhost_user(); and the caller does
/// not hold `turn`, because the kernel reads the device before this function returns. Causes: no_ublk,
/// ublk_needs_root, ublk_not_given, ublk_too_old, ublk_zone_size, ublk_block_size, ublk_not_waiting.
Result<std::unique_ptr<Export>> export_ublk(BlockBackend& backend, std::mutex& turn, ExportOptions options);

} // namespace zoneio
