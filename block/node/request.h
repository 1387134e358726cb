// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/status.h"
#include "block/node/mode_words.h"
#include "block/node/zone.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
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

enum class RequestOp : uint8_t {
    read, write, write_zeroes, discard, flush, truncate, zone_append, zone_report, zone_manage, zone_condition
};

/// Something a request holds on to until it is done.
class RequestHold {
public:
    virtual ~RequestHold() = default;
};

/// One request to an image. The owner keeps it, and the memory of its iov, until it is done.
struct Request {
    static Request read(uint64_t offset, const IoVec& iov, WriteFlags flags = {}) {
        return {.offset = offset, .bytes = iov.bytes(), .iov = iov, .flags = flags};
    }
    static Request write(uint64_t offset, const IoVec& iov, WriteFlags flags = {}) {
        return {.op = RequestOp::write, .offset = offset, .bytes = iov.bytes(), .iov = iov, .flags = flags};
    }
    static Request write_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags = {}) {
        return {.op = RequestOp::write_zeroes, .offset = offset, .bytes = bytes, .flags = flags};
    }
    static Request discard(uint64_t offset, uint64_t bytes) {
        return {.op = RequestOp::discard, .offset = offset, .bytes = bytes};
    }
    static Request flush() { return {.op = RequestOp::flush}; }
    static Request truncate(uint64_t size, PreallocMode mode) {
        return {.op = RequestOp::truncate, .offset = size, .prealloc = mode};
    }
    static Request zone_append(uint64_t offset, const IoVec& iov, std::span<const uint64_t> lengths = {}) {
        return {.op = RequestOp::zone_append, .offset = offset, .bytes = iov.bytes(), .iov = iov, .lengths = lengths};
    }
    static Request zone_manage(ZoneOp op, uint64_t offset, uint64_t bytes) {
        return {.op = RequestOp::zone_manage, .offset = offset, .bytes = bytes, .zone_op = op};
    }
    static Request zone_condition(uint64_t offset, uint64_t bytes, ZoneState state) {
        return {.op = RequestOp::zone_condition, .offset = offset, .bytes = bytes, .zone_state = state};
    }

    RequestOp op = RequestOp::read;
    /// Bytes; zone_append: of the zone, and when done where the data went; truncate: the new length.
    uint64_t offset = 0;
    uint64_t bytes = 0;
    IoVec iov = {};          ///< read, write and zone_append
    size_t buffers = 1; ///< how many buffers the user asked for; the iov may have more segments
    WriteFlags flags = {};
    PreallocMode prealloc = PreallocMode::off; ///< truncate
    /// zone_append: of the buffers that the user asked for, in bytes, where the iov holds them in other pieces.
    std::span<const uint64_t> lengths = {};
    ZoneOp zone_op = ZoneOp::open;             ///< zone_manage
    ZoneState zone_state = ZoneState::empty;   ///< zone_condition: see ZoneOperations::set_zone_condition
    uint64_t zone_count = 0;       ///< zone_report: at most so many; when done how many there were
    ZoneVisitor visit = {};             ///< zone_report: called on the thread that does the request

    Status status = {};     ///< valid when done
    bool done = false; ///< set by IoEngine::reap, on the thread that calls it
    std::chrono::steady_clock::time_point finished = {}; ///< when it ended
    uint64_t sequence = 0; ///< the how manieth to end, see IoEngine::orders_completions

    Request* next = nullptr;    ///< for the engine's lists
    uint8_t completions_due = 0; ///< for the engine
    int sync_error = 0;          ///< for the engine: of the sync behind a write
    std::vector<std::unique_ptr<RequestHold>> holds = {};
};

} // namespace zoneio
