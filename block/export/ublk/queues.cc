// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/queues.h"

#include "block/export/ublk/control.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>
#include <sys/epoll.h>
#include <sys/mman.h>

namespace zoneio {

namespace {

constexpr uint64_t events_mark = UINT64_MAX;
constexpr size_t page_bytes = 4096;

constexpr uint64_t mark_of(uint16_t queue, uint16_t tag) {
    return uint64_t{queue} << 16 | tag;
}

} // namespace

UblkQueues::UblkQueues(BackendPort& port, UblkDisk& disk, UblkAppends& appends, int events,
                       std::function<void(std::string)> on_problem)
    : port_(port), disk_(disk), appends_(appends), events_(events), on_problem_(std::move(on_problem)) {}

UblkQueues::~UblkQueues() {
    for (const std::unique_ptr<Queue>& queue : queues_) {
        if (queue->descriptors != nullptr) {
            munmap(const_cast<ublk::Descriptor*>(queue->descriptors), queue->descriptor_bytes);
        }
        if (queue->data != nullptr) {
            munmap(queue->data, size_t{depth_} * UblkDisk::max_request_bytes);
        }
    }
}

Status UblkQueues::open(const ublk::Info& info, bool is_recovered) {
    const std::string name = ublk_character_device(info.device);
    file_ = FileDescriptor(::open(name.c_str(), O_RDWR | O_CLOEXEC));
    if (!file_.valid()) {
        return Status::from_errno(errno).because(Cause::cannot_open, {.name = name});
    }
    transfer_.emplace(file_.get(), info.flags);
    features_ = info.flags;
    depth_ = info.depth;
    for (uint16_t number = 0; number < info.queues; number++) {
        queues_.push_back(std::make_unique<Queue>());
        Queue& queue = *queues_.back();
        Status status = queue.ring.open(depth_ + 2U);
        status = status.ok() ? map(queue, number) : std::move(status);
        if (!status.ok()) {
            return status;
        }
        if (number > 0) {
            epoll_event event{};
            event.events = EPOLLIN;
            (void)epoll_ctl(events_, EPOLL_CTL_ADD, queue.ring.fd(), &event);
        }
        for (UblkRequest& request : queue.requests) {
            request.is_repeated = is_recovered;
        }
        fetch_all(queue);
    }
    active_.reserve(live_tags_);
    finished_.reserve(live_tags_);
    parked_.reserve(live_tags_);
    completions_.reserve(2 * size_t{depth_});
    return {};
}

Status UblkQueues::map(Queue& queue, uint16_t number) {
    queue.requests = std::vector<UblkRequest>(depth_);
    queue.answered_appends.reserve(depth_);
    queue.descriptor_bytes = (depth_ * sizeof(ublk::Descriptor) + page_bytes - 1) / page_bytes * page_bytes;
    void* const descriptors = mmap(nullptr, queue.descriptor_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file_.get(),
                                   ublk::descriptors_offset(number));
    if (descriptors == MAP_FAILED) {
        return Status::error(errno, fmt::format("the descriptors of queue {} cannot be mapped: {}", number, strerror(errno)));
    }
    queue.descriptors = static_cast<const ublk::Descriptor*>(descriptors);
    void* const data = mmap(nullptr, size_t{depth_} * UblkDisk::max_request_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
        return Status::from_errno(errno);
    }
    queue.data = static_cast<uint8_t*>(data);
    for (uint16_t tag = 0; tag < depth_; tag++) {
        UblkRequest& request = queue.requests[tag];
        request.queue = number;
        request.tag = tag;
        request.data = queue.data + size_t{tag} * UblkDisk::max_request_bytes;
    }
    return {};
}

void UblkQueues::fetch_all(Queue& queue) {
    for (const UblkRequest& request : queue.requests) {
        send(queue, ublk::fetch, transfer_->fetch(request));
        live_tags_++;
    }
    queue.ring.submit();
}

void UblkQueues::send(Queue& queue, uint32_t code, const ublk::QueueCommand& command) {
    queue.ring.command(file_.get(), ublk::code_for(features_, code), &command, sizeof(command), mark_of(command.queue, command.tag));
}

bool UblkQueues::serve(int timeout_ms) {
    UblkRing& first = queues_.front()->ring;
    if (!is_waiting_for_events_) {
        first.wait_readable(events_, events_mark);
        is_waiting_for_events_ = true;
    }
    first.wait(timeout_ms);
    collect(*queues_.front());
    const bool has_events = !is_waiting_for_events_;
    // Completions of other rings arrive as events.
    for (size_t i = 1; has_events && i < queues_.size(); i++) {
        collect(*queues_[i]);
    }
    port_.kick();
    submit_answers();
    return has_events;
}

void UblkQueues::collect(Queue& queue) {
    completions_.clear();
    (void)queue.ring.for_each_completion([this](uint64_t user_data, int32_t result) {
        if (user_data == events_mark) {
            is_waiting_for_events_ = false;
        } else {
            completions_.push_back({user_data, result});
        }
    });
    for (const Completion& completion : completions_) {
        on_completion(completion, completions_.size() == 1);
    }
}

void UblkQueues::on_completion(const Completion& completion, bool alone) {
    if (completion.result == 0) {
        Queue& queue = *queues_[completion.user_data >> 16];
        take(queue.requests[completion.user_data & 0xffff], alone);
        return;
    }
    live_tags_--;
    if (completion.result != ublk::result_ended) {
        on_problem_(fmt::format("a request was not fetched: {}", strerror(-completion.result)));
    }
}

void UblkQueues::take(UblkRequest& request, bool alone) {
    const ublk::Descriptor descriptor = queues_[request.queue]->descriptors[request.tag];
    try {
        disk_.understand(request, descriptor);
    } catch (const std::bad_alloc&) {
        request.error = ENOMEM;
    }
    if (request.error == 0 && request.has_data() && !transfer_->take_data(request)) {
        request.error = EIO;
    }
    begin(request, alone);
}

void UblkQueues::begin(UblkRequest& request, bool alone) {
    if (waits(request)) {
        parked_.push_back(&request);
        return;
    }
    go(request, alone);
}

/// After a kill, the effect of an append can be determined only if nothing else has moved the write pointer since. The kernel
/// sends the management of a range zone by zone, without waiting: under a limit, the first zones are to get it.
bool UblkQueues::waits(const UblkRequest& request) const {
    const auto precedes = [&request](const UblkRequest* earlier) {
        return (request.zone && earlier->zone == request.zone) ||
               (request.kind == ServedKind::manage && earlier->kind == ServedKind::manage);
    };
    return std::any_of(active_.begin(), active_.end(), precedes) || std::any_of(parked_.begin(), parked_.end(), precedes);
}

void UblkQueues::go(UblkRequest& request, bool alone) {
    const bool is_append = request.zone && request.kind == ServedKind::append;
    if (std::exchange(request.is_repeated, false)) {
        const std::optional<UblkAppends::Note> note = appends_.get(request.queue, request.tag);
        const bool is_of_this = is_append && note && note->zone == *request.zone && note->bytes == request.bytes;
        request.begin_pointer = is_of_this ? std::optional(note->begin) : std::nullopt;
        request.is_repeated = true;
        disk_.skip_done(request);
    }
    if (is_append) {
        const uint64_t pointer = request.begin_pointer ? *request.begin_pointer
                                                       : disk_.write_pointer(*request.zone).value_or(*request.zone);
        appends_.set(request.queue, request.tag, {*request.zone, request.bytes, pointer});
    }
    const bool is_alone = alone && active_.empty();
    active_.push_back(&request);
    disk_.perform(request, is_alone);
    if (request.is_answered_at_once) {
        active_.pop_back();
        answer(request);
    }
}

/// Starts parked requests that may run now, in their order.
void UblkQueues::unpark() {
    std::vector<UblkRequest*> waiting;
    waiting.reserve(parked_.capacity());
    std::swap(waiting, parked_);
    for (UblkRequest* const request : waiting) {
        begin(*request, false);
    }
}

void UblkQueues::answer(UblkRequest& request) {
    UblkDisk::Result result = disk_.finish(request);
    const bool has_answer = request.kind == ServedKind::read || request.kind == ServedKind::report;
    if (result.code > 0 && has_answer && !transfer_->give_data(request)) {
        result.code = -EIO;
    }
    Queue& queue = *queues_[request.queue];
    if (request.kind == ServedKind::append) {
        queue.answered_appends.push_back(request.tag);
    }
    request.is_repeated = false;
    send(queue, ublk::commit_and_fetch, transfer_->command(request, result));
}

/// Answers of the first queue are submitted with the next wait, except those of appends. Their records must not outlive
/// the answers: a later append with the same data would be mistaken for one that was done.
void UblkQueues::submit_answers() {
    for (const std::unique_ptr<Queue>& queue : queues_) {
        if (queue == queues_.front() && queue->answered_appends.empty()) {
            continue;
        }
        queue->ring.submit();
        for (const uint16_t tag : queue->answered_appends) {
            appends_.clear(queue->requests[tag].queue, tag);
        }
        queue->answered_appends.clear();
    }
}

void UblkQueues::on_port() {
    port_.reap([this] { take_finished(); });
    answer_finished();
}

/// The turn is held at this point, so answers, and requests that start after them, come later.
void UblkQueues::take_finished() {
    const auto running =
        std::partition(active_.begin(), active_.end(), [](const UblkRequest* request) { return !request->request.done; });
    finished_.assign(running, active_.end());
    active_.erase(running, active_.end());
}

void UblkQueues::answer_finished() {
    for (UblkRequest* const request : finished_) {
        answer(*request);
    }
    finished_.clear();
    if (!parked_.empty()) {
        unpark();
        port_.kick();
    }
    submit_answers();
}

void UblkQueues::finish_all() {
    // Requests that wait for others start when those have finished.
    while (!active_.empty()) {
        port_.drain();
        take_finished();
        answer_finished();
    }
}

} // namespace zoneio
