// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/served_request.h"
#include "block/export/ublk/uapi.h"

#include <memory>
#include <optional>
#include <vector>

namespace zoneio {

/// A request of the kernel, from its descriptor to its result.
struct UblkRequest : ServedRequest {
    ublk::Op op = ublk::Op::read;
    uint16_t tag = 0;
    uint8_t* data = nullptr; ///< buffer of the tag
    uint64_t bytes = 0;      ///< requested length
    int error = 0;           ///< errno of a request that is refused before the gate
    std::vector<ublk::ReportedZone> report;

    bool has_data() const { return kind == ServedKind::write || kind == ServedKind::append; }
};

/// The open image as a disk of the kernel: parameters and requests. For the thread of its port, except for the
/// functions called before that thread starts.
class UblkDisk {
public:
    struct Result {
        int32_t code; ///< number of bytes, or a negative errno
        uint64_t append_sector;
    };

    UblkDisk(BackendPort& port, bool read_only, ServedCounters& counters);

    /// Causes: ublk_zone_size, ublk_block_size.
    Status check() const;
    /// Linux has no other kind of zoned device; a host-aware one is exported as an ordinary disk.
    bool is_zoned() const { return port_.limits().zoned == ZonedModel::host_managed; }
    zoneio::Result<ublk::Parameters> parameters();
    /// Adopts the kernel's settings: a recovered device may have another cache mode than the image.
    void use(const ublk::Parameters& parameters);
    /// Longest request in bytes.
    static constexpr uint32_t max_request_bytes = 1U << 20;
    /// Number of bytes at the end of the image that the kernel does not show: a shorter last zone.
    uint64_t hidden_bytes();

    /// Reads which zones are sequential. Call it on the port's thread, before any request.
    void begin();
    /// Parses a request whose place (queue, tag, data) is set.
    void understand(UblkRequest& request, const ublk::Descriptor& descriptor);
    /// Reduces a repeated request to the part that was not done: some of it, a flush, or nothing.
    void skip_done(UblkRequest& request);
    /// Starts a parsed request, or does it and sets is_answered_at_once. `alone`: see BackendPort::submit.
    void perform(UblkRequest& request, bool alone);
    /// Write pointer of the sequential zone at an offset; empty if it has none.
    std::optional<uint64_t> write_pointer(uint64_t offset) { return port_.write_pointer(offset); }
    Result finish(UblkRequest& request);

private:
    uint32_t block_size() const;
    uint64_t shown_bytes();
    uint64_t max_append_bytes() const;
    void add_zones(ublk::Parameters& parameters) const;
    void add_discard(ublk::Parameters& parameters) const;
    void prepare(UblkRequest& request, const ublk::Descriptor& descriptor);
    void prepare_range(UblkRequest& request, const ublk::Descriptor& descriptor);
    void prepare_report(UblkRequest& request, uint32_t most_zones);
    void prepare_management(UblkRequest& request);
    uint64_t begin_of_reset();
    std::optional<uint64_t> moved_zone(const UblkRequest& request) const;
    int error_of(const UblkRequest& request);

    BackendPort& port_;
    bool read_only_;
    ServedCounters& counters_;
    uint64_t shown_bytes_ = 0;
    bool forces_writes_ = false;
    std::vector<bool> sequential_; ///< by zone
};

} // namespace zoneio
