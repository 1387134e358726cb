// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/status.h"
#include "block/node/zone.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace zoneio {

/// How a write is to be done.
struct WriteFlags {
    bool fua = false;         ///< on the medium when done
    bool may_unmap = false;   ///< zeroes: holes will do
    bool no_fallback = false; ///< zeroes: not by writing them
    bool compressed = false;  ///< as VmState::pwritev_compressed
    bool vmstate = false;     ///< as VmState::write_vmstate
    bool more = false;        ///< a part of a larger write; forcing out can wait for its last part

    bool operator==(const WriteFlags&) const = default;
    /// Upstream's numbers for them, as trace events show them.
    unsigned bits() const {
        return (fua ? 0x10U : 0U) | (may_unmap ? 0x4U : 0U) | (no_fallback ? 0x100U : 0U) | (compressed ? 0x20U : 0U);
    }
    /// That a write is one of zeros, likewise.
    static constexpr unsigned zero_write_bit = 0x2;
};

enum class RequestOp : uint8_t { read, write, write_zeroes, discard, flush, zone_append, zone_report, zone_manage };

/// Something a request holds on to until it is done.
class RequestHold {
public:
    virtual ~RequestHold() = default;
};

/// One asynchronous request. The owner keeps it, and the memory of its iov, until it is done.
struct Request {
    RequestOp op = RequestOp::read;
    uint64_t offset = 0; ///< bytes; zone_append: of the zone, and when done where the data went
    uint64_t bytes = 0;
    IoVec iov;          ///< read, write and zone_append
    size_t buffers = 1; ///< how many buffers the user asked for; the iov may have more segments
    WriteFlags flags;
    ZoneOp zone_op = ZoneOp::open; ///< zone_manage
    uint64_t zone_count = 0;       ///< zone_report: at most so many; when done how many there were
    ZoneVisitor visit;             ///< zone_report: called on the thread that does the request

    Status status;     ///< valid when done
    bool done = false; ///< set by IoEngine::reap, on the thread that calls it
    std::chrono::steady_clock::time_point finished; ///< when it ended
    uint64_t sequence = 0; ///< the how manieth to end, see IoEngine::orders_completions

    Request* next = nullptr;    ///< for the engine's lists
    uint8_t completions_due = 0; ///< for the engine
    int sync_error = 0;          ///< for the engine: of the sync behind a write
    std::vector<std::unique_ptr<RequestHold>> holds;
};

} // namespace zoneio
