// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/counters.h"
#include "block/export/port.h"
#include "block/export/ublk/uapi.h"

#include <memory>
#include <optional>
#include <vector>

namespace zoneio {

/// One request of the kernel, from its descriptor to its result.
struct UblkRequest {
    Request request; ///< as the gate takes it

    ublk::Op op = ublk::Op::read;
    ServedKind kind = ServedKind::other;
    uint16_t queue = 0;
    uint16_t tag = 0;
    uint8_t* data = nullptr; ///< the tag's buffer
    uint64_t bytes = 0;      ///< as asked
    int error = 0;           ///< errno of a request that does not get to the gate
    std::vector<ublk::ReportedZone> report;
    std::optional<uint64_t> zone;          ///< start of the sequential zone whose write pointer it moves
    std::optional<uint64_t> begin_pointer; ///< of an append: where the zone's write pointer was before it was begun
    uint64_t position = 0;                 ///< of an append that was done before: where its data is
    bool is_repeated = false;              ///< a server before this one may have done it already
    bool is_answered_at_once = false;      ///< perform() did it all; else the port tells when it is done

    bool has_data() const { return kind == ServedKind::write || kind == ServedKind::append; }
};

/// The open image as a disk of the kernel: its parameters, and what requests mean. Used by the thread of its port, except
/// for what is asked before that begins.
class UblkDisk {
public:
    struct Result {
        int32_t code; ///< bytes, or a negative errno
        uint64_t append_sector;
    };

    UblkDisk(BackendPort& port, bool read_only, ServedCounters& counters);

    /// Causes: ublk_zone_size, ublk_block_size.
    Status check() const;
    /// Linux knows no other devices with zones; a host-aware one is served as an ordinary disk.
    bool is_zoned() const { return port_.limits().zoned == ZonedModel::host_managed; }
    zoneio::Result<ublk::Parameters> parameters();
    /// Takes over what the kernel has: a device that is recovered may have another cache mode than the image.
    void use(const ublk::Parameters& parameters);
    /// The most bytes of a request.
    static constexpr uint32_t max_request_bytes = 1U << 20;
    /// Bytes at the end of the image that the kernel does not show: a zone that is shorter than the others.
    uint64_t hidden_bytes();

    /// Reads which zones are sequential. For the port's thread, before any request.
    void begin();
    /// Understands a request whose place (queue, tag, data) is set.
    void understand(UblkRequest& request, const ublk::Descriptor& descriptor);
    /// Leaves of a repeated request what has not been done: some of it, a flush, or nothing.
    void skip_done(UblkRequest& request);
    /// Begins a request that was understood, or does it: then is_answered_at_once is set. `alone`: see BackendPort.
    void perform(UblkRequest& request, bool alone);
    /// Where the write pointer of a sequential zone is; nothing when it has none.
    std::optional<uint64_t> write_pointer(uint64_t offset);
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
    bool is_stored(const UblkRequest& request, uint64_t at, uint64_t bytes);
    int error_of(const UblkRequest& request);

    BackendPort& port_;
    bool read_only_;
    ServedCounters& counters_;
    uint64_t shown_bytes_ = 0;
    bool forces_writes_ = false;
    std::vector<bool> sequential_; ///< by zone
};

} // namespace zoneio
