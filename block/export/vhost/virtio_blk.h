// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/served_request.h"
#include "block/export/vhost/virtio_blk_defs.h"
#include "block/export/vhost/vring.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// A request of a guest.
struct VirtioBlkRequest : ServedRequest {
    VringChain chain;
    virtio_blk::Type type = virtio_blk::Type::in;
    virtio_blk::Answer answer = virtio_blk::Answer::ok;
    std::vector<virtio_blk::ReportedZone> report;
    std::shared_ptr<const GuestMemory> memory; ///< keeps the memory of the chain mapped
    uint64_t number = 0;                       ///< position among the requests of its queue
};

/// A virtio block device for the open image: features, configuration and requests.
///
/// For the thread of its port.
class VirtioBlk {
public:
    struct Settings {
        std::string serial; ///< the guest sees at most 20 bytes
        bool read_only = false;
        uint16_t queues = 1;
    };

    VirtioBlk(BackendPort& port, Settings settings, ServedCounters& counters);

    /// Feature bits of the block device, without those of the transport.
    uint64_t features() const;
    /// Prepares for a new front end: no features are accepted, and the write cache is as in the image.
    void reset();
    /// Sets the features that the driver has accepted.
    void accept(uint64_t features) { accepted_ = features; }
    bool takes_zones() const { return has(virtio_blk::f_zoned); }

    /// The present configuration.
    virtio_blk::Config config();
    /// Writes `writeback`, the only writable field. False for other fields.
    bool write_config(uint32_t offset, std::span<const uint8_t> bytes);

    /// Parses the chain of a request.
    void understand(VirtioBlkRequest& request);
    /// Reduces a repeated request to the part that was not done: some of it, a flush, or nothing.
    void skip_done(VirtioBlkRequest& request);
    /// Starts a parsed request, or does it and sets is_answered_at_once. `alone`: see BackendPort::submit.
    void perform(VirtioBlkRequest& request, bool alone);
    /// Start of the sequential zone whose write pointer the request will move; empty if there is none.
    std::optional<uint64_t> moved_zone(const VirtioBlkRequest& request);
    /// Write pointer of the sequential zone at `offset`; empty if it has none.
    std::optional<uint64_t> write_pointer(uint64_t offset) { return port_.write_pointer(offset); }
    /// Writes the answer to a finished request into its memory. Returns the number of bytes written.
    uint32_t finish(VirtioBlkRequest& request);

private:
    using Answer = virtio_blk::Answer;

    bool has(uint64_t feature) const { return (accepted_ & feature) != 0; }
    bool is_zoned() const { return port_.limits().zoned != ZonedModel::none; }
    bool forces_writes() const;
    uint64_t max_append_bytes() const;
    uint32_t block_size() const;
    uint32_t write_granularity() const;

    Answer prepare(VirtioBlkRequest& request);
    Answer prepare_data(VirtioBlkRequest& request, uint64_t sector);
    Answer prepare_write(VirtioBlkRequest& request);
    Answer prepare_append(VirtioBlkRequest& request, uint64_t sector);
    Answer prepare_range(VirtioBlkRequest& request);
    Answer prepare_report(VirtioBlkRequest& request, uint64_t sector);
    Answer prepare_management(VirtioBlkRequest& request, uint64_t sector);
    Answer copy_id(VirtioBlkRequest& request);
    bool crosses_zones(uint64_t offset, uint64_t bytes);
    Answer answer_for(const VirtioBlkRequest& request);
    Answer zone_answer(const VirtioBlkRequest& request, const ZoneDescriptor& zone) const;
    void trace_start(const VirtioBlkRequest& request) const;

    BackendPort& port_;
    Settings settings_;
    ServedCounters& counters_;
    uint64_t accepted_ = 0;
    bool writeback_;
};

} // namespace zoneio
