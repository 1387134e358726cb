// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/aio.h"

#include "commands/long_work.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <poll.h>

namespace zoneio {

namespace {

/// Largest number of unreported requests, and most memory for them. Beyond either, the queue waits for the oldest.
constexpr size_t max_unreported = 16384;
constexpr size_t max_memory = 8U << 20;
/// Number of new requests after which finished quiet ones are released.
constexpr size_t collect_every = 64;

/// Most buffers kept for later commands, and the largest size of one, in bytes.
constexpr size_t max_spares = 1024;
constexpr size_t max_spare_bytes = 16U << 10;

FailedRequest::Kind kind_of(RequestOp op) {
    using Kind = FailedRequest::Kind;
    return op == RequestOp::read ? Kind::read : op == RequestOp::discard ? Kind::discard : Kind::write;
}

/// Aligned memory takes up to its alignment more than its size.
size_t memory_of(const AioRequest& request) {
    const size_t buffer = request.buffer.capacity() > 0 ? request.buffer.capacity() + AlignedBuffer::default_alignment : 0;
    return sizeof request + request.request.iov.count() * sizeof(iovec) + buffer;
}

bool is_silent(const AioRequest& request) {
    return request.quiet && request.request.status.ok() && !request.expect;
}

} // namespace

uint8_t* AioQueue::pattern(uint8_t byte) {
    AlignedBuffer& buffer = patterns_[byte];
    if (buffer.data() == nullptr && buffer.reserve(pattern_bytes)) {
        memset(buffer.data(), byte, pattern_bytes);
    }
    return buffer.data();
}

std::unique_ptr<AioRequest> AioQueue::make(std::string_view command) {
    auto request = std::make_unique<AioRequest>();
    request->command = command;
    if (!spares_.empty()) {
        // Reused, because allocating aligned memory is expensive and fragments the heap.
        request->buffer = std::move(spares_.back());
        spares_.pop_back();
    }
    return request;
}

uint64_t AioQueue::start(BlockBackend& backend, std::unique_ptr<AioRequest> request) {
    AioRequest& started = *request;
    const uint64_t id = ++started_;
    started.id = id;
    started.memory = memory_of(started);
    memory_ += started.memory;
    requests_.push_back(std::move(request));
    started.start = std::chrono::steady_clock::now();
    try {
        backend.submit(started.request);
    } catch (const std::bad_alloc&) {
        // Submission is the engine's last step, so this request is not in flight.
        started.request.holds.clear();
        started.request.status = Status::from_errno(ENOMEM);
        started.request.done = true;
    }
    if (requests_.size() % collect_every == 0 && !backend.orders_completions()) {
        backend.reap(false);
        while (!requests_.empty() && requests_.front()->request.done && is_silent(*requests_.front())) {
            report_front();
        }
    }
    while (requests_.size() > max_unreported || (memory_ > max_memory && requests_.size() > 1)) {
        if (!requests_.front()->request.done && backend.reap(true) == 0) {
            break; // the request is held at a breakpoint
        }
        report_done(backend);
    }
    return id;
}

bool AioQueue::drain(BlockBackend& backend) {
    backend.drain(true);
    bool waited = settle(backend);
    while (waited && !requests_.empty()) {
        backend.let_held_go();
        waited = settle(backend);
    }
    backend.drain(false);
    return waited;
}

void AioQueue::finish(BlockBackend& backend) {
    backend.drain(true);
    report_done(backend);
    while (!requests_.empty()) {
        if (backend.reap(true) == 0) {
            backend.let_held_go();
        }
        report_done(backend);
    }
    backend.drain(false);
}

bool AioQueue::settle(BlockBackend& backend) {
    report_done(backend);
    while (!requests_.empty()) {
        switch (wait(backend)) {
        case Waited::some_finished: report_done(backend); break;
        case Waited::all_are_held: return true;
        case Waited::interrupted: return false;
        }
    }
    return true;
}

/// Waits until a request may have finished.
AioQueue::Waited AioQueue::wait(BlockBackend& backend) {
    const bool may_end = InterruptEndsCommand::is_active();
    if (may_end && InterruptEndsCommand::is_requested()) {
        return Waited::interrupted;
    }
    if (!may_end || backend.orders_completions()) {
        return backend.reap(true) > 0 ? Waited::some_finished : Waited::all_are_held;
    }
    // An interrupt just before poll(2) does not end it, and is noticed after this time.
    constexpr int longest_wait_ms = 100;
    backend.kick();
    pollfd event{backend.event_fd(), POLLIN, 0};
    (void)poll(&event, 1, longest_wait_ms);
    backend.reap(false);
    return Waited::some_finished;
}

void AioQueue::report_finished(BlockBackend& backend) {
    backend.reap(false);
    report_done(backend);
}

void AioQueue::report_done(const BlockBackend& backend) {
    if (backend.orders_completions()) {
        report_in_sequence();
        return;
    }
    while (!requests_.empty() && requests_.front()->request.done) {
        report_front();
    }
}

void AioQueue::report_in_sequence() {
    // A request that was refused at once has the sequence 0, because it ended before all others.
    const auto rank = [](const std::unique_ptr<AioRequest>& request) {
        return request->request.done ? request->request.sequence : UINT64_MAX;
    };
    while (!requests_.empty()) {
        const auto next = std::min_element(requests_.begin(), requests_.end(),
                                           [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
        if (!(*next)->request.done) {
            return;
        }
        report(**next);
        retire(**next);
        requests_.erase(next);
    }
}

void AioQueue::report_front() {
    report(*requests_.front());
    retire(*requests_.front());
    requests_.pop_front();
}

/// Keeps the buffer of a request that is about to be deleted.
void AioQueue::retire(AioRequest& request) {
    const size_t bytes = request.buffer.capacity();
    memory_ -= request.memory;
    if (bytes > 0 && bytes <= max_spare_bytes && spares_.size() < max_spares) {
        spares_.push_back(std::move(request.buffer));
    }
}

void AioQueue::report(AioRequest& request) {
    reporter_.begin_completion(request.command, request.id);
    const bool ok = tell(request);
    reporter_.end_command(ok);
    failures_ += ok ? 0 : 1;
}

/// Reports a request. True if it succeeded and the data is as expected.
bool AioQueue::tell(const AioRequest& request) {
    const Status& status = request.request.status;
    if (!status.ok()) {
        FailureLog::Completion completion(log_);
        reporter_.fail(status, "{} failed: {}\n", request.failure_verb, status.message());
        completion.finish(FailedRequest{kind_of(request.request.op), {}, request.offset, request.request.bytes, status});
        return false;
    }
    const uint64_t bytes = request.request.bytes;
    DataMismatch mismatch{.compared_offset = request.offset, .compared_bytes = bytes, .expected = request.expect.value_or(0)};
    if (request.expect) {
        compare_with_pattern(mismatch, request.data, bytes, request.offset);
    }
    const bool matches = mismatch.bytes == 0;
    if (!matches) {
        FailureLog::Completion completion(log_);
        reporter_.mismatch(mismatch);
        completion.finish(std::nullopt);
    }
    if (!request.quiet) {
        if (request.dump) {
            reporter_.dump(request.data, bytes, request.offset);
        }
        reporter_.request({request.verb, request.offset, bytes, request.request.finished - request.start},
                          request.for_machines);
    }
    return matches;
}

} // namespace zoneio
