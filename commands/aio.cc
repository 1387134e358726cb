// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/aio.h"

namespace zoneio {

namespace {

/// So many requests, with so much memory in all, may be waiting for their report; then the oldest is waited for.
constexpr size_t max_unreported = 16384;
constexpr size_t max_bytes = 256U << 20;
/// After so many more, quiet ones that have finished are let go of.
constexpr size_t collect_every = 64;

bool is_silent(const AioRequest& request) {
    return request.quiet && request.request.status.ok() && !request.expect;
}

} // namespace

void AioQueue::start(BlockBackend& backend, std::unique_ptr<AioRequest> request) {
    AioRequest& started = *request;
    bytes_ += started.buffer.capacity();
    requests_.push_back(std::move(request));
    started.start = std::chrono::steady_clock::now();
    backend.submit(started.request);
    if (requests_.size() % collect_every == 0) {
        backend.reap(false);
        while (!requests_.empty() && requests_.front()->request.done && is_silent(*requests_.front())) {
            drop_front();
        }
    }
    while (requests_.size() > max_unreported || (bytes_ > max_bytes && requests_.size() > 1)) {
        while (!requests_.front()->request.done) {
            backend.reap(true);
        }
        report_front();
    }
}

void AioQueue::drain(BlockBackend& backend) {
    while (!requests_.empty()) {
        if (!requests_.front()->request.done) {
            backend.reap(true);
            continue;
        }
        report_front();
    }
}

void AioQueue::report_finished(BlockBackend& backend) {
    backend.reap(false);
    while (!requests_.empty() && requests_.front()->request.done) {
        report_front();
    }
}

void AioQueue::report_front() {
    report(*requests_.front());
    drop_front();
}

void AioQueue::drop_front() {
    bytes_ -= requests_.front()->buffer.capacity();
    requests_.pop_front();
}

void AioQueue::report(AioRequest& request) {
    const Status& status = request.request.status;
    if (!status.ok()) {
        reporter_.print("{} failed: {}\n", request.failure_verb, status.message());
        return;
    }
    const uint64_t bytes = request.request.bytes;
    if (request.expect && !all_bytes_equal(request.data, bytes, *request.expect)) {
        reporter_.print("Pattern verification failed at offset {}, {} bytes\n", request.offset, bytes);
    }
    if (request.quiet) {
        return;
    }
    if (request.dump) {
        reporter_.dump(request.data, bytes, request.offset);
    }
    reporter_.request({request.verb, request.offset, bytes, request.request.finished - request.start}, request.for_machines);
}

} // namespace zoneio
