// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/counters.h"
#include "block/export/port.h"
#include "block/export/vhost/virtio_blk_defs.h"
#include "block/export/vhost/vring.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// One request of a guest, from the ring to its answer.
struct VirtioBlkRequest {
    VringChain chain;
    Request request; ///< as the gate takes it

    virtio_blk::Type type = virtio_blk::Type::in;
    ServedKind kind = ServedKind::other;
    virtio_blk::Answer answer = virtio_blk::Answer::ok;
    std::vector<virtio_blk::ReportedZone> report;
    std::shared_ptr<const GuestMemory> memory; ///< keeps the chain's memory mapped
    uint16_t queue = 0;
    uint64_t number = 0;                   ///< the how manieth it is of its queue
    std::optional<uint64_t> zone;          ///< whose write pointer it moves, where that is to be known
    std::optional<uint64_t> begin_pointer; ///< of an append: where the zone's write pointer was before it was begun
    uint64_t position = 0;                 ///< of an append that was done: where its data is
    bool is_repeated = false;              ///< a back end before this one may have done it already
    bool is_answered_at_once = false;      ///< perform() did it all; else the port tells when it is done
};

/// A virtio block device over the open image: its features, its configuration, and what its requests mean.
///
/// Used by the thread of its port.
class VirtioBlk {
public:
    struct Settings {
        std::string serial; ///< at most 20 bytes are shown
        bool read_only = false;
        uint16_t queues = 1;
    };

    VirtioBlk(BackendPort& port, Settings settings, ServedCounters& counters);

    /// Feature bits of the block device, without those of the transport.
    uint64_t features() const;
    /// A new front end: nothing is accepted, and the write cache is as the image has it.
    void reset();
    /// What the driver has accepted of them.
    void accept(uint64_t features) { accepted_ = features; }
    bool takes_zones() const { return has(virtio_blk::f_zoned); }

    /// The configuration as it is now.
    virtio_blk::Config config();
    /// Only `writeback` can be written. False for anything else.
    bool write_config(uint32_t offset, std::span<const uint8_t> bytes);

    /// Understands a chain.
    void understand(VirtioBlkRequest& request);
    /// Leaves of a repeated request what has not been done: some of it, a flush, or nothing.
    void skip_done(VirtioBlkRequest& request);
    /// Begins a request that was understood, or does it: then is_answered_at_once is set. `alone`: see BackendPort.
    void perform(VirtioBlkRequest& request, bool alone);
    /// The sequential zone whose write pointer the request will move, by the offset where it begins; nothing: none.
    std::optional<uint64_t> moved_zone(const VirtioBlkRequest& request);
    /// Where the write pointer of a sequential zone is; nothing when it has none.
    std::optional<uint64_t> write_pointer(uint64_t offset);
    /// Writes the answer to a finished request into its memory; returns how many bytes of that were written.
    uint32_t finish(VirtioBlkRequest& request);

private:
    using Answer = virtio_blk::Answer;

    bool has(unsigned bit) const { return (accepted_ >> bit & 1U) != 0; }
    bool is_zoned() const { return port_.limits().zoned != ZonedModel::none; }
    bool forces_writes() const;
    uint64_t max_append_bytes() const;
    uint32_t block_size() const;
    uint32_t write_granularity() const;

    bool is_stored(const VirtioBlkRequest& request, uint64_t at, uint64_t bytes);
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
