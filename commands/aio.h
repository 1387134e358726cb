// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "commands/report/failure.h"
#include "commands/report/report.h"

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace zoneio {

/// An asynchronous command under way: its request, the memory of it, and how to tell of its end.
struct AioRequest {
    Request request;
    AlignedBuffer buffer;
    std::string_view command;      ///< its name
    uint64_t id = 0;               ///< given by AioQueue::start
    size_t memory = 0;             ///< bytes that it takes up until it is reported; set by AioQueue::start
    std::string_view verb;         ///< of the report
    std::string_view failure_verb; ///< of the error
    bool quiet = false;            ///< -q
    bool for_machines = false;     ///< -C
    bool dump = false;             ///< -v
    std::optional<uint8_t> expect; ///< -P of a read
    uint8_t* data = nullptr;       ///< what was read, for -v and -P

    uint64_t offset = 0; ///< as asked
    std::chrono::steady_clock::time_point start;
};

/// The asynchronous commands that were not reported yet, oldest first.
///
/// They are reported in the order in which they were given, whatever the order in which they end: of the orders
/// that qemu-io itself shows it is the one that can be relied on. Where the order in which they end can be relied
/// on, as with breakpoints, it is that.
class AioQueue {
public:
    AioQueue(Reporter& reporter, FailureLog& log) : reporter_(reporter), log_(log) {}

    bool empty() const { return requests_.empty(); }
    static constexpr size_t pattern_bytes = 16U << 10;
    /// So many bytes of one value, at an aligned address, for requests that only read them; null when memory is short.
    uint8_t* pattern(uint8_t byte);
    /// A request of a command, to be filled in and started; its buffer may have been used before.
    std::unique_ptr<AioRequest> make(std::string_view command);
    /// Begins a request; gives it an id, from 1 on. The image may keep it back for a while, see BlockBackend::kick.
    ///
    /// While all that are not reported take up more than 8 MiB, or are more than 16384, it waits for the oldest; not for
    /// those held at breakpoints, and one alone may be larger.
    uint64_t start(BlockBackend& backend, std::unique_ptr<AioRequest> request);
    /// Waits for all requests and reports them. Those held at breakpoints go on. False: the user would not wait any
    /// longer; the rest goes on.
    bool drain(BlockBackend& backend);
    /// The same, whatever the user wants.
    void finish(BlockBackend& backend);
    /// Waits for those that can go on by themselves and reports them. False as above.
    bool settle(BlockBackend& backend);
    /// Reports, up to the first that is still under way, those that have finished; does not wait.
    void report_finished(BlockBackend& backend);
    /// Reports those that are known to have finished.
    void report_done(const BlockBackend& backend);
    /// How many of those reported failed, or read something else than was expected.
    uint64_t failures() const { return failures_; }

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
    size_t memory_ = 0; ///< bytes that all of them take up
    uint64_t started_ = 0;
    uint64_t failures_ = 0;
    std::array<AlignedBuffer, 256> patterns_; ///< filled at first use, and then never changed: threads may be reading
    std::vector<AlignedBuffer> spares_; ///< of those reported, for make()
};

} // namespace zoneio
