// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/queues.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// While this thread copies the data of the next such request, the driver can use that of the last one. So it is told at once.
constexpr uint64_t large_request = 32 << 10;

/// Number of requests kept for reuse: the size of a large ring.
constexpr size_t most_spares = 256;

} // namespace

VhostQueues::VhostQueues(BackendPort& port, VirtioBlk& device, uint16_t count, int epoll, uint64_t kick_tag,
                         std::function<void(std::string)> on_problem)
    : port_(port), device_(device), queues_(count), epoll_(epoll), kick_tag_(kick_tag), on_problem_(std::move(on_problem)) {}

Status VhostQueues::set_size(uint32_t queue, uint32_t size) {
    if (size == 0 || size > Vring::max_size) {
        return Status::invalid(fmt::format("a ring of {} entries", size));
    }
    Queue& changed = queues_[queue];
    if (changed.is_started && changed.size != size) {
        return Status::invalid("a running ring cannot change its size");
    }
    changed.size = static_cast<uint16_t>(size);
    return {};
}

Status VhostQueues::set_addresses(uint32_t queue, const Vring::Addresses& addresses) {
    Queue& changed = queues_[queue];
    if (changed.is_started && changed.addresses != addresses) {
        return Status::invalid("a running ring cannot move");
    }
    changed.addresses = addresses;
    return {};
}

Status VhostQueues::set_inflight(InflightMemory inflight) {
    // The place for each request was checked when its ring started.
    if (is_running()) {
        return Status::invalid("a running ring cannot change its inflight memory");
    }
    inflight_.emplace(std::move(inflight));
    return {};
}

bool VhostQueues::is_running() const {
    return std::ranges::any_of(queues_, &Queue::is_started);
}

Status VhostQueues::set_base(uint32_t queue, uint32_t base) {
    if (base > UINT16_MAX) {
        return Status::invalid(fmt::format("a ring that goes on at {}", base));
    }
    queues_[queue].base = static_cast<uint16_t>(base);
    return {};
}

Status VhostQueues::set_kick(uint32_t queue, FileDescriptor kick) {
    Queue& changed = queues_[queue];
    if (changed.kick.valid()) {
        (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, changed.kick.get(), nullptr);
    }
    changed.kick = std::move(kick);
    // Edge-triggered: each write to the eventfd is an event, so the eventfd is never read, and a read cannot block.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = kick_tag_ + queue;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, changed.kick.get(), &event) < 0) {
        return Status::invalid("a kick descriptor that cannot be waited for");
    }
    const auto number = static_cast<uint16_t>(queue);
    Status status = changed.is_started ? Status() : start(number);
    if (status.ok() && changed.is_served()) {
        serve(number);
    }
    return status;
}

Status VhostQueues::start(uint16_t number) {
    Queue& queue = queues_[number];
    Status status = queue.ring.configure(queue.size, queue.addresses, memory_, event_index_);
    if (!status.ok()) {
        return status;
    }
    queue.ring.start(queue.base);
    queue.is_started = true;
    queue.taken = queue.answered = 0;
    // Without inflight memory, a front end continues after the last answer when its back end was killed. That is
    // correct only if everything before it was answered, too.
    queue.is_ordered = !inflight_ && device_.takes_zones() && !port_.has_tasks();
    queue.repeats = queue.is_ordered ? queue.ring.waiting() : uint16_t{0};
    return inflight_ ? take_up_again(number) : Status();
}

/// Continues where a killed back end ended.
Status VhostQueues::take_up_again(uint16_t number) {
    Queue& queue = queues_[number];
    if (number >= inflight_->queues() || queue.size > inflight_->queue_size()) {
        queue.is_started = false;
        return Status::invalid("a ring that the inflight memory has no place for");
    }
    const std::vector<uint16_t> heads = inflight_->begin(number, queue.ring.used_index());
    if (!heads.empty() || queue.base != queue.ring.used_index()) {
        queue.ring.start(static_cast<uint16_t>(queue.ring.used_index() + heads.size()));
    }
    for (const uint16_t head : heads) {
        Pointer request = spare();
        if (queue.ring.read_chain(head, request->chain) != Vring::Pop::chain) {
            return Status::invalid(queue.ring.problem());
        }
        begin(taken(number, std::move(request), true));
    }
    port_.kick();
    signal(queue);
    return {};
}

void VhostQueues::set_enabled(uint32_t queue, bool enabled) {
    queues_[queue].is_enabled = enabled;
    if (queues_[queue].is_served()) {
        serve(static_cast<uint16_t>(queue));
    }
}

uint16_t VhostQueues::stop(uint32_t queue) {
    Queue& stopped = queues_[queue];
    finish_all();
    const uint16_t next = stopped.is_started ? stopped.ring.next_available() : stopped.base;
    stopped.base = next;
    stopped.is_started = stopped.has_rest = false;
    if (stopped.kick.valid()) {
        (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, stopped.kick.get(), nullptr);
        stopped.kick = FileDescriptor();
    }
    stopped.call = CallDescriptor();
    stopped.ring.release();
    return next;
}

Status VhostQueues::set_memory(std::shared_ptr<const GuestMemory> memory) {
    memory_ = std::move(memory);
    for (Queue& queue : queues_) {
        if (!queue.is_started) {
            continue;
        }
        // Requests in flight keep their memory. The ring is the same one in a new mapping. If it is not there, its requests are
        // answered in the old one.
        const uint16_t next = queue.ring.next_available();
        signal(queue);
        if (Status status = queue.ring.configure(queue.size, queue.addresses, memory_, event_index_); !status.ok()) {
            return status;
        }
        queue.ring.start(next);
    }
    return {};
}

void VhostQueues::reset() {
    finish_all();
    for (uint32_t queue = 0; queue < queues_.size(); queue++) {
        stop(queue);
        queues_[queue] = Queue();
    }
    memory_.reset();
    inflight_.reset();
    event_index_ = has_rest_ = false;
}

void VhostQueues::on_kick(uint32_t queue) {
    if (queue < queues_.size() && queues_[queue].is_served()) {
        serve(static_cast<uint16_t>(queue));
    }
}

bool VhostQueues::serve_rest() {
    has_rest_ = false;
    bool found = false;
    for (uint16_t number = 0; number < count(); number++) {
        if (std::exchange(queues_[number].has_rest, false) && queues_[number].is_served()) {
            found = true;
            serve(number);
        }
    }
    return found;
}

VhostQueues::Pointer VhostQueues::spare() {
    if (spares_.empty()) {
        return std::make_unique<VirtioBlkRequest>();
    }
    Pointer request = std::move(spares_.back());
    spares_.pop_back();
    return request;
}

/// Takes requests from a ring, but not so many that other rings wait too long.
void VhostQueues::serve(uint16_t number) {
    Queue& queue = queues_[number];
    if (inflight_ && inflight_->is_lost()) {
        break_ring(number, "the front end has cut off its inflight memory");
        return;
    }
    queue.ring.no_notify();
    for (unsigned count = 0; count < queue.ring.size();) {
        if (queue.in_flight >= queue.ring.size() && queue.ring.has_next()) {
            break_ring(number, "more requests than the ring has entries");
            return;
        }
        Pointer request = spare();
        const Vring::Pop popped = queue.ring.pop(request->chain);
        if (popped == Vring::Pop::chain) {
            count++;
            if (inflight_) {
                inflight_->taken(number, request->chain.head);
            }
            const bool is_repeated = queue.repeats > 0;
            queue.repeats = static_cast<uint16_t>(queue.repeats - (is_repeated ? 1 : 0));
            const bool is_large = request->chain.readable_bytes + request->chain.writable_bytes >= large_request;
            begin(taken(number, std::move(request), is_repeated));
            if (is_large) {
                signal(queue);
            }
            continue;
        }
        spares_.push_back(std::move(request));
        if (popped == Vring::Pop::broken) {
            break_ring(number, queue.ring.problem());
            return;
        }
        port_.kick();
        signal(queue);
        if (!queue.ring.notify_again()) {
            return;
        }
        queue.ring.no_notify();
    }
    port_.kick();
    signal(queue);
    queue.has_rest = has_rest_ = true;
}

VhostQueues::Pointer VhostQueues::taken(uint16_t number, Pointer request, bool is_repeated) {
    Queue& queue = queues_[number];
    request->is_repeated = is_repeated;
    request->memory = queue.ring.memory();
    request->queue = number;
    request->number = queue.taken++;
    queue.in_flight++;
    return request;
}

void VhostQueues::begin(Pointer request) {
    device_.understand(*request);
    if (inflight_) {
        request->zone = device_.moved_zone(*request);
    }
    // After a kill, the effect of an append can be determined only if nothing else has moved the write pointer since.
    if (request->zone && is_moved(*request->zone)) {
        parked_.push_back(std::move(request));
        return;
    }
    go(std::move(request));
}

bool VhostQueues::is_moved(uint64_t zone) const {
    const auto moves = [zone](const Pointer& request) { return request->zone == zone; };
    return std::any_of(active_.begin(), active_.end(), moves) || std::any_of(parked_.begin(), parked_.end(), moves);
}

void VhostQueues::go(Pointer request) {
    VirtioBlkRequest& begun = *request;
    const uint16_t head = begun.chain.head;
    if (begun.is_repeated) {
        begun.begin_pointer = inflight_ ? inflight_->append_pointer(begun.queue, head) : std::nullopt;
        device_.skip_done(begun);
    }
    if (begun.zone && begun.request.op == RequestOp::zone_append) {
        inflight_->note_append(begun.queue, head, device_.write_pointer(*begun.zone).value_or(*begun.zone));
    }
    const bool alone = active_.empty() && !queues_[begun.queue].ring.has_next();
    active_.push_back(std::move(request));
    device_.perform(begun, alone);
    if (begun.is_answered_at_once) {
        Pointer done = std::move(active_.back());
        active_.pop_back();
        give_back(std::move(done));
    }
}

/// Starts parked requests that may run now, in their order.
void VhostQueues::unpark() {
    std::vector<Pointer> waiting;
    std::swap(waiting, parked_);
    for (Pointer& request : waiting) {
        if (is_moved(*request->zone)) {
            parked_.push_back(std::move(request));
        } else {
            go(std::move(request));
        }
    }
}

void VhostQueues::give_back(Pointer request) {
    Queue& queue = queues_[request->queue];
    if (queue.is_ordered && request->number != queue.answered) {
        queue.early.push_back(std::move(request));
        return;
    }
    answer(*request);
    if (spares_.size() < most_spares) {
        spares_.push_back(std::move(request));
    }
    const auto next = std::find_if(queue.early.begin(), queue.early.end(),
                                   [&](const Pointer& other) { return other->number == queue.answered; });
    if (next != queue.early.end()) {
        Pointer following = std::move(*next);
        queue.early.erase(next);
        give_back(std::move(following));
    }
}

void VhostQueues::answer(VirtioBlkRequest& request) {
    const uint32_t bytes = device_.finish(request);
    Queue& queue = queues_[request.queue];
    const uint16_t head = request.chain.head;
    if (inflight_) {
        inflight_->answering(request.queue, head);
    }
    queue.ring.push(head, bytes);
    if (inflight_) {
        inflight_->answered(request.queue, head, queue.ring.used_index());
    }
    queue.in_flight--;
    queue.answered++;
    request.memory.reset();
}

void VhostQueues::signal(Queue& queue) {
    if (queue.ring.wants_signal()) {
        queue.call.signal();
    }
}

/// Stops a ring whose driver violates the rules, until the driver sets it up again.
void VhostQueues::break_ring(uint16_t number, const std::string& problem) {
    Queue& queue = queues_[number];
    signal(queue);
    queue.is_enabled = false;
    // Missing memory reads as zeros, which form an invalid request.
    on_problem_(queue.ring.memory()->is_lost() ? "the front end has cut off its memory"
                                               : fmt::format("queue {}: {}", number, problem));
    queue.err.signal();
}

void VhostQueues::on_port() {
    port_.reap([this] { take_finished(); });
    answer_finished();
}

void VhostQueues::take_finished() {
    for (size_t i = 0; i < active_.size();) {
        if (!active_[i]->request.done) {
            i++;
            continue;
        }
        finished_.push_back(std::move(active_[i]));
        active_[i] = std::move(active_.back());
        active_.pop_back();
    }
}

void VhostQueues::answer_finished() {
    if (finished_.empty()) {
        return;
    }
    for (Pointer& request : finished_) {
        give_back(std::move(request));
    }
    finished_.clear();
    if (!parked_.empty()) {
        unpark();
        port_.kick();
    }
    signal_all();
}

void VhostQueues::signal_all() {
    for (Queue& queue : queues_) {
        if (queue.is_started) {
            signal(queue);
        }
    }
}

void VhostQueues::finish_all() {
    // Requests that wait for others start when those have finished.
    while (!active_.empty()) {
        port_.drain();
        take_finished();
        answer_finished();
    }
}

} // namespace zoneio
