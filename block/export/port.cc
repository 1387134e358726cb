// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/port.h"

#include <algorithm>
#include <ctime>
#include <sys/epoll.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// A request that sleeps longer than this had to wait for the storage.
constexpr std::chrono::nanoseconds quick(50'000);
constexpr uint64_t quick_bytes_per_ns = 1; ///< for copying data, at least

/// After a request that had to wait, this many requests go to the engine before the next one runs on this thread. The
/// number doubles each time that one has to wait again.
constexpr unsigned fewest_waits = 32;
constexpr unsigned most_waits = 4096;

/// To ask for the processor time of a request takes two system calls. So only this many are asked for after a slow one.
constexpr unsigned measured_after_slow = 64;

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/// Processor time that this thread has used.
std::chrono::nanoseconds time_of_thread() {
    timespec time{};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool moves_pointer(const Request& request) {
    return request.op == RequestOp::write || request.op == RequestOp::write_zeroes || request.op == RequestOp::zone_append;
}

bool counts_requests(const BlockNode* node) {
    for (; node != nullptr; node = node->child()) {
        if (node->counts_requests()) {
            return true;
        }
    }
    return false;
}

} // namespace

BackendPort::BackendPort(BlockBackend& backend, std::mutex& turn)
    : backend_(backend), turn_(turn), events_(epoll_create1(EPOLL_CLOEXEC)),
      next_waits_(fewest_waits) {
    watch(events_.get(), woken_.fd());
}

BackendPort::~BackendPort() {
    const std::unique_lock lock = take_turn();
    engine_.reset();
}

void BackendPort::begin() {
    does_here_ = !has_tasks() && backend_.aio_ == AioMode::threads && !counts_requests(backend_.root_.get());
    engine_ = make_engine();
    if (!has_tasks()) {
        watch(events_.get(), engine_->event_fd());
    }
}

std::unique_ptr<IoEngine> BackendPort::make_engine() {
    BlockNode& root = *backend_.root_;
    if (has_tasks()) {
        return make_task_engine(root, *backend_.tasks_, [this] { wake(); });
    }
    // With O_DIRECT, the storage makes all requests wait. io_uring waits for many without a thread for each.
    if (backend_.aio_ != AioMode::threads || flags().direct) {
        Result<std::unique_ptr<IoEngine>> made =
            backend_.aio_ == AioMode::native ? make_native_engine(root) : make_uring_engine(root);
        if (made.ok()) {
            return std::move(*made);
        }
    }
    return make_thread_engine(root);
}

/// Filters do not change offsets. Requests to the node below them trigger no rules.
BlockNode& BackendPort::below_filters() const {
    BlockNode* node = backend_.root_.get();
    while (node->info().is_filter && node->driver().child() != nullptr) {
        node = node->driver().child();
    }
    return *node;
}

Status BackendPort::read_now(uint64_t offset, std::span<uint8_t> target) {
    const std::unique_lock lock = take_turn();
    return below_filters().preadv(offset, IoVec(target.data(), target.size()));
}

std::optional<ZoneDescriptor> BackendPort::zone_at(uint64_t offset) {
    const std::unique_lock lock = take_turn();
    std::optional<ZoneDescriptor> found;
    (void)below_filters().zone_report(offset, 1, [&](const ZoneDescriptor& zone) { found = zone; });
    return found;
}

Status BackendPort::zones_now(const ZoneVisitor& visit) {
    const std::unique_lock lock = take_turn();
    const Result<uint64_t> count = below_filters().zone_report(0, limits().nr_zones, visit);
    return count.ok() ? Status() : count.status();
}

std::optional<uint64_t> BackendPort::write_pointer(uint64_t offset) {
    const std::optional<ZoneDescriptor> zone = zone_at(offset);
    if (!zone || zone->type == ZoneType::conventional) {
        return std::nullopt;
    }
    // A full zone may report its end as write pointer, or none.
    if (zone->state == ZoneState::full) {
        return zone->start + zone->capacity;
    }
    return zone->write_pointer == no_write_pointer ? std::nullopt : std::optional(zone->write_pointer);
}

bool BackendPort::may_do_here(const Request& request, bool alone) const {
    if (!does_here_ || request.op == RequestOp::flush) {
        return false;
    }
    // Two writes to a zone must run in the order in which they were submitted.
    if (moves_pointer(request) && limits().zoned != ZonedModel::none && engine_->in_flight() > 0) {
        return false;
    }
    return waits_ == 0 || (alone && engine_->in_flight() == 0);
}

void BackendPort::do_here(Request& request) {
    const bool is_measured = measured_ > 0;
    const std::chrono::nanoseconds worked_before = is_measured ? time_of_thread() : std::chrono::nanoseconds(0);
    const Clock::time_point start = Clock::now();
    perform_blocking(*backend_.root_, request);
    request.finished = Clock::now();
    request.done = true;
    const std::chrono::nanoseconds taken = request.finished - start;
    const bool is_slow = taken > quick + std::chrono::nanoseconds(request.bytes / quick_bytes_per_ns);
    note_wait(is_slow && is_measured && taken - (time_of_thread() - worked_before) > quick);
    measured_ = is_slow ? measured_after_slow : measured_ - (is_measured ? 1 : 0);
}

void BackendPort::note_wait(bool had_to_wait) {
    if (had_to_wait) {
        waits_ = next_waits_;
        next_waits_ = std::min(2 * next_waits_, most_waits);
    } else {
        next_waits_ = std::max(next_waits_ - 1, fewest_waits);
    }
}

bool BackendPort::submit(Request& request, bool alone) {
    backend_.trace(request);
    request.status = backend_.check(request);
    request.done = !request.status.ok();
    if (request.done) {
        return true;
    }
    request.flags = backend_.write_flags(request.flags);
    if (may_do_here(request, alone)) {
        do_here(request);
        return true;
    }
    waits_ -= waits_ > 0 ? 1 : 0;
    const std::unique_lock lock = take_turn();
    engine_->submit(request);
    return false;
}

void BackendPort::kick() {
    if (has_tasks()) {
        wake(); // tasks continue in reap()
    } else {
        engine_->kick();
    }
}

void BackendPort::reap_locked() {
    woken_.clear();
    engine_->reap(false);
    while (has_tasks() && backend_.tasks_->can_step()) {
        engine_->reap(false);
    }
}

void BackendPort::drain() {
    const std::unique_lock lock = take_turn();
    backend_.drain(true);
    while (engine_->in_flight() > 0) {
        if (engine_->reap(true) == 0) {
            backend_.let_held_go();
        }
    }
    backend_.drain(false);
}

int BackendPort::event_fd() const {
    return events_.get();
}

int BackendPort::timeout_ms() {
    if (!has_tasks()) {
        return -1;
    }
    const std::unique_lock lock = take_turn();
    const std::optional<Clock::time_point> next = backend_.tasks_->next_timer();
    if (!next) {
        return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

void BackendPort::wake() const {
    woken_.set();
}

} // namespace zoneio
