// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "commands/report/failure.h"
#include "commands/report/report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace zoneio {

/// An asynchronous command in flight: its request, its memory, and how to report it.
struct AioRequest {
    Request request;
    AlignedBuffer buffer;
    std::string_view command;      ///< its name
    uint64_t id = 0;               ///< set by AioQueue::start
    size_t memory = 0;             ///< bytes in use until it is reported; set by AioQueue::start
    std::string_view verb;         ///< of the report
    std::string_view failure_verb; ///< of the error
    bool quiet = false;            ///< -q
    bool for_machines = false;     ///< -C
    bool dump = false;             ///< -v
    std::optional<uint8_t> expect; ///< -P of a read
    uint8_t* data = nullptr;       ///< data that was read, for -v and -P

    uint64_t offset = 0; ///< as the user gave it, in bytes
    std::chrono::steady_clock::time_point start;
};

/// The asynchronous commands that have not been reported yet, oldest first.
///
/// They are reported in the order of the commands, whatever the order of completion: of the orders that qemu-io shows, this
/// is the only deterministic one. If the engine orders completions itself, as with breakpoints, they are reported in that
/// order.
class AioQueue {
public:
    AioQueue(Reporter& reporter, FailureLog& log) : reporter_(reporter), log_(log) {}

    bool empty() const { return requests_.empty(); }
    static constexpr size_t pattern_bytes = 16U << 10;
    /// pattern_bytes bytes of one value at an aligned address, for requests that only read them. Null if memory runs out.
    uint8_t* pattern(uint8_t byte);
    /// A new request for a command to fill in and start. Its buffer may be reused and hold old data.
    std::unique_ptr<AioRequest> make(std::string_view command);
    /// Starts a request and returns its id, from 1. The image may delay it to submit a batch, see BlockBackend::kick.
    ///
    /// If unreported requests use more than 8 MiB, or number more than 16384, it waits for the oldest. It never waits for
    /// requests held at breakpoints, and a single request may be larger.
    uint64_t start(BlockBackend& backend, std::unique_ptr<AioRequest> request);
    /// Resumes requests held at breakpoints, waits for all requests and reports them. False: the user interrupted the wait;
    /// the other requests continue.
    bool drain(BlockBackend& backend);
    /// Likewise; ignores interrupts.
    void finish(BlockBackend& backend);
    /// Waits for the requests that are not held at breakpoints and reports them. False as above.
    bool settle(BlockBackend& backend);
    /// Reports finished requests up to the first one that is still in flight. Does not wait.
    void report_finished(BlockBackend& backend);
    /// Reports the requests that are already marked done.
    void report_done(const BlockBackend& backend);
    /// Number of reported requests that failed or read other data than expected.
    uint64_t failures() const { return failures_; }
    /// Marks the failures after the first `count` as expected.
    void forgive_failures_after(uint64_t count) { failures_ = std::min(failures_, count); }

private:
    enum class Waited : uint8_t { some_finished, all_are_held, interrupted };

    Waited wait(BlockBackend& backend);
    void report_in_sequence();
    void report_front();
    void retire(AioRequest& request);
    void report(AioRequest& request);
    bool tell(const AioRequest& request);

    Reporter& reporter_;
    FailureLog& log_;
    std::deque<std::unique_ptr<AioRequest>> requests_;
    size_t memory_ = 0; ///< bytes that all of them use
    uint64_t started_ = 0;
    uint64_t failures_ = 0;
    std::array<AlignedBuffer, 256> patterns_; ///< filled at first use and never changed, because threads may read them
    std::vector<AlignedBuffer> spares_; ///< buffers of reported requests, for make()
};

} // namespace zoneio
