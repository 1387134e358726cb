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

/// Modifiers of a write.
struct WriteFlags {
    bool fua = false;         ///< force the data to the medium before the request ends
    bool may_unmap = false;   ///< zero writes: a hole is allowed
    bool no_fallback = false; ///< zero writes: fail instead of writing zeros as data
    bool compressed = false;  ///< see VmState::pwritev_compressed
    bool vmstate = false;     ///< see VmState::write_vmstate
    bool more = false;        ///< a part of a larger write, and not the last one: the last part forces out all of them

    bool operator==(const WriteFlags&) const = default;
    /// The flags as trace events show them, with QEMU's numbers.
    unsigned bits() const {
        return (fua ? 0x10U : 0U) | (may_unmap ? 0x4U : 0U) | (no_fallback ? 0x100U : 0U) | (compressed ? 0x20U : 0U);
    }
    /// The number that trace events add for a write of zeros.
    static constexpr unsigned zero_write_bit = 0x2;
};

enum class RequestOp : uint8_t {
    read, write, write_zeroes, discard, flush, truncate, zone_append, zone_report, zone_manage, set_zone_state
};

/// A resource that a request owns until it is done.
class RequestHold {
public:
    virtual ~RequestHold() = default;
};

/// One request to an image. The caller owns it and the memory of its iov, and keeps both until it is done.
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
    static Request set_zone_state(uint64_t offset, uint64_t bytes, ZoneState state) {
        return {.op = RequestOp::set_zone_state, .offset = offset, .bytes = bytes, .zone_state = state};
    }

    RequestOp op = RequestOp::read;
    /// In bytes. zone_append: start of the zone, and after completion the offset of the data; truncate: the new length.
    uint64_t offset = 0;
    uint64_t bytes = 0;
    IoVec iov = {};          ///< read, write and zone_append
    size_t buffers = 1; ///< number of buffers that the user asked for; the iov may have more segments
    WriteFlags flags = {};
    PreallocMode prealloc = PreallocMode::off; ///< truncate
    /// zone_append: buffer lengths that the user asked for, in bytes, if the iov divides the data differently.
    std::span<const uint64_t> lengths = {};
    ZoneOp zone_op = ZoneOp::open;             ///< zone_manage
    ZoneState zone_state = ZoneState::empty;   ///< set_zone_state: see ZoneOperations::set_zone_state
    uint64_t zone_count = 0;       ///< zone_report: most zones to report; after completion the number reported
    ZoneVisitor visit = {};             ///< zone_report: called for each zone, on the thread that runs the request

    Status status = {};     ///< valid when done
    bool done = false; ///< set by IoEngine::reap on the calling thread
    std::chrono::steady_clock::time_point finished = {}; ///< time of completion
    uint64_t sequence = 0; ///< position in completion order, see IoEngine::orders_completions

    Request* next = nullptr;    ///< for the engine's lists
    uint8_t completions_due = 0; ///< for the engine
    int sync_error = 0;          ///< for the engine: error of the sync after a write
    std::vector<std::unique_ptr<RequestHold>> holds = {};
};

} // namespace zoneio
