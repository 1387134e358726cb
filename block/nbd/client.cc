// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/client.h"

#include "block/base/worker_thread.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sys/epoll.h>

namespace zoneio {

namespace {

using std::chrono::milliseconds;

/// Interval at which a wait checks for interrupts and the time limit.
constexpr milliseconds poll_interval(100);
/// How long a request waits for its answer after an interrupt.
constexpr milliseconds interrupt_patience(500);
/// How long a wait polls before it sleeps, and the largest number of waits that do not after attempts in vain.
constexpr std::chrono::microseconds awake_time(50);
constexpr unsigned most_skips = 1024;
/// First and longest pause between attempts to connect.
constexpr milliseconds first_pause(50);
constexpr milliseconds longest_pause(1000);

/// Waits between two attempts, at most until the deadline, and doubles `length`. False if the time is over or the user
/// interrupts.
bool pause(milliseconds& length, const NbdDeadline& deadline) {
    const auto end = std::min(std::chrono::steady_clock::now() + length, deadline.time.value_or(std::chrono::steady_clock::now()));
    while (std::chrono::steady_clock::now() < end) {
        if (interrupt_requested()) {
            return false;
        }
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(poll_interval, end - std::chrono::steady_clock::now()));
    }
    length = std::min(length * 2, longest_pause);
    return deadline.time && !deadline.is_over();
}

/// True if a server's export still takes the requests that it took. As in QEMU, its size may change: requests past its end
/// fail.
bool takes_the_same(const NbdExport& before, const NbdExport& now) {
    return (before.read_only || !now.read_only) && now.block_sizes.minimum <= before.block_sizes.minimum;
}

} // namespace

Result<std::unique_ptr<NbdClient>> NbdClient::open(NbdSettings settings) {
    const NbdLibrary* const library = TRY(load_nbd_library());
    std::unique_ptr<NbdClient> client(new NbdClient(*library, std::move(settings)));
    Status status = client->connect_all();
    return status.ok() ? Result<std::unique_ptr<NbdClient>>(std::move(client)) : std::move(status);
}

NbdClient::~NbdClient() = default;

/// Makes the first connections, within the open timeout.
Status NbdClient::connect_all() {
    NbdDeadline deadline;
    if (settings_.open_timeout.count() > 0) {
        deadline.time = Clock::now() + settings_.open_timeout;
    }
    unsigned number = 1;
    do {
        Result<std::unique_ptr<NbdConnection>> made = connect(deadline);
        if (!made.ok()) {
            Status status = std::move(made).status();
            return number == 1 ? std::move(status)
                               : Status::error(status.code(), fmt::format("Connection {} of {} failed: {}", number,
                                                                          settings_.connections, status.message()))
                                     .because(status.cause());
        }
        const NbdExport& found = (*made)->facts();
        if (number == 1) {
            facts_ = found;
            allows_several_ = found.can_multi_conn;
        } else if (const std::string difference = nbd_difference(facts_, found); !difference.empty()) {
            return Status::invalid(fmt::format("Connection {} of {} differs from the first: {}; use connections=1",
                                               number, settings_.connections, difference));
        }
        links_.add(std::move(*made));
        number++;
    } while (number <= wanted());
    return {};
}

/// Connects: one attempt, or attempts until the deadline if there is one.
Result<std::unique_ptr<NbdConnection>> NbdClient::connect(const NbdDeadline& deadline) const {
    milliseconds length = first_pause;
    while (true) {
        Result<std::unique_ptr<NbdConnection>> made = NbdConnection::open(library_, settings_, deadline);
        if (made.ok() || made.status().code() == EINTR || !can_reconnect() || !pause(length, deadline)) {
            return made;
        }
    }
}

unsigned NbdClient::connections() {
    const Lock lock(mutex_);
    return links_.usable();
}

/// The connection for the next command; null if none is usable. Adds new connections in place of lost ones, and otherwise
/// has them made as long as another one is usable.
NbdConnection* NbdClient::usable() {
    if (links_.usable() < wanted() && can_reconnect()) {
        if (std::unique_ptr<NbdConnection> made = connector_.take()) {
            adopt(std::move(made));
        }
        if (!all_lost_ && links_.usable() < wanted()) {
            connector_.start(NbdConnector::Haste::background);
        }
    }
    return links_.least_busy();
}

/// Uses a new connection unless the server says something else than before.
void NbdClient::adopt(std::unique_ptr<NbdConnection> made) {
    const NbdExport& found = made->facts();
    const NbdConnection* const other = links_.first_usable();
    if (!takes_the_same(facts_, found) || (other != nullptr && !nbd_difference(other->facts(), found).empty())) {
        connector_.reject();
        return;
    }
    connector_.accept();
    allows_several_ = found.can_multi_conn;
    links_.add(std::move(made));
    links_.watch(epoll_.get());
    all_lost_ = false;
    cut_ = NbdCut::no;
    if (polling_) {
        wake();
    }
}

/// Waits for a connection if the settings allow it; otherwise EIO, and the connection is made in the background. REQUIRES:
/// no connection is usable.
Status NbdClient::reconnect(Lock& lock) {
    const Clock::time_point end = lost_at_ + settings_.reconnect_delay;
    const bool until_end = Clock::now() < end;
    // The first request after an interrupt or a time-out waits for one attempt.
    if (!can_reconnect() || (!until_end && cut_ == NbdCut::no)) {
        if (can_reconnect()) {
            connector_.start(NbdConnector::Haste::background);
        }
        return Status::from_errno(EIO, Cause::server_unreachable);
    }
    const unsigned before = connector_.attempts();
    while (usable() == nullptr) {
        if (interrupt_requested()) {
            connector_.abandon();
            return Status::from_errno(EINTR, Cause::server_unreachable);
        }
        if (until_end ? Clock::now() >= end : connector_.attempts() != before) {
            return Status::from_errno(EIO, Cause::server_unreachable);
        }
        connector_.start(NbdConnector::Haste::waited);
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        connector_.wait(lock, connector_.attempts(), until_end ? std::min(poll_interval, std::max(left, milliseconds(1))) : poll_interval);
    }
    return {};
}

void NbdClient::send(NbdConnection& connection, NbdCommand& command) {
    connection.issue(command);
    collect();
    if (polling_) {
        wake();
    }
}

Status NbdClient::perform(NbdCommand& command) {
    Lock lock(mutex_);
    NbdDeadline deadline;
    for (unsigned losses = 0;;) {
        NbdConnection* const connection = usable();
        if (connection == nullptr) {
            TRY(reconnect(lock));
            continue;
        }
        send(*connection, command);
        wait(lock, [&command] { return command.done; });
        if (!command.lost) {
            return command.error == 0 ? Status() : Status::from_errno(command.error);
        }
        // Limits how often a request is sent to a server that drops connections because of it.
        losses++;
        if (!deadline.time) {
            deadline.time = Clock::now() + settings_.reconnect_delay;
        }
        const bool has_other = losses < settings_.connections && !all_lost_;
        if (command.cut != NbdCut::no || (!has_other && deadline.is_over())) {
            return Status::from_errno(lost_error(command.cut), Cause::server_unreachable);
        }
    }
}

bool NbdClient::start(NbdCommand& command) {
    const Lock lock(mutex_);
    NbdConnection* const connection = usable();
    if (connection == nullptr) {
        return false;
    }
    started_++;
    send(*connection, command);
    return true;
}

NbdCommand* NbdClient::take_finished(bool wait_for_one) {
    Lock lock(mutex_);
    if (wait_for_one) {
        wait(lock, [this] { return finished_ != nullptr || started_ == 0; });
    } else if (!polling_ && finished_ == nullptr && !all_lost_) {
        poll_now();
    }
    links_.watch(epoll_.get());
    if (epoll_.valid()) {
        wake_.clear();
    }
    NbdCommand* const list = std::exchange(finished_, nullptr);
    for (NbdCommand* command = list; command != nullptr; command = command->next) {
        started_--;
        if (command->lost) {
            command->error = command->may_repeat ? EAGAIN : lost_error(command->cut);
        }
    }
    return list;
}

void NbdClient::wait_for_others(Lock& lock) {
    waiters_++;
    changed_.wait_for(lock, poll_interval);
    waiters_--;
}

template <typename IsOver>
void NbdClient::wait(Lock& lock, IsOver is_over) {
    std::optional<Clock::time_point> patience;
    while (!is_over()) {
        if (interrupt_requested()) {
            // A working server gets time to answer, because that keeps the connection.
            patience = patience.value_or(Clock::now() + interrupt_patience);
            if (Clock::now() >= *patience) {
                interrupt();
                continue;
            }
        }
        if (polling_) {
            wait_for_others(lock);
        } else {
            poll_once(lock);
        }
    }
}

/// Polls for a short time without sleeping: a fast server answers sooner than a sleeping thread wakes up.
///
/// After each attempt without an answer, twice as many waits skip it, so that it costs nothing beside a slow server.
int NbdClient::poll_awake(std::span<pollfd> fds) {
    // A server on the only processor cannot run meanwhile.
    static const bool has_one_processor = std::thread::hardware_concurrency() == 1;
    if (has_one_processor) {
        return 0;
    }
    if (waits_to_skip_ > 0) {
        waits_to_skip_--;
        return 0;
    }
    const Clock::time_point end = Clock::now() + awake_time;
    int count = 0;
    do {
        count = poll(fds.data(), fds.size(), 0);
    } while (count == 0 && Clock::now() < end);
    skips_ = count == 0 ? std::min(2 * skips_ + 1, most_skips) : skips_ / 2;
    waits_to_skip_ = skips_;
    return count;
}

/// Waits once for the server and handles what arrives.
void NbdClient::poll_once(Lock& lock) {
    std::array<pollfd, most_nbd_connections + 1> fds;
    const std::span<pollfd> used = links_.fill(fds);
    pollfd& woken = fds[used.size()];
    woken = {wake_.fd(), POLLIN, 0};
    const unsigned generation = links_.generation();
    const Clock::time_point start = Clock::now();
    polling_ = true;
    lock.unlock();
    const std::span<pollfd> all(fds.data(), used.size() + 1);
    if (poll_awake(all) == 0) {
        (void)poll(all.data(), all.size(), static_cast<int>(poll_interval.count()));
    }
    lock.lock();
    polling_ = false;
    if (woken.revents != 0) {
        wake_.clear();
    }
    // Connections may have been replaced during the wait.
    if (links_.generation() == generation) {
        links_.progress(used, Clock::now() - start);
        collect();
        if (settings_.request_timeout.count() > 0 && links_.cut_silent(settings_.request_timeout)) {
            note_cut(NbdCut::timed_out);
        }
    }
    if (waiters_ > 0) {
        changed_.notify_all();
    }
}

/// Handles what has arrived.
void NbdClient::poll_now() {
    std::array<pollfd, most_nbd_connections> fds;
    const std::span<pollfd> used = links_.fill(fds);
    if (poll(used.data(), used.size(), 0) > 0) {
        links_.progress(used, Clock::duration::zero());
        collect();
    }
}

/// Collects finished commands, and notes if the last connection broke.
void NbdClient::collect() {
    if (!all_lost_ && links_.first_usable() == nullptr) {
        all_lost_ = true;
        lost_at_ = Clock::now();
    }
    const bool had_none = finished_ == nullptr;
    for (NbdCommand* command = links_.take_finished(); command != nullptr;) {
        NbdCommand* const next = command->next;
        command->may_repeat = command->lost && command->cut == NbdCut::no && (!all_lost_ || settings_.reconnect_delay.count() > 0);
        command->next = finished_;
        finished_ = command;
        command = next;
    }
    if (had_none && finished_ != nullptr && epoll_.valid()) {
        wake();
    }
}

/// Ends the wait of the user's command, whichever connections it uses.
void NbdClient::interrupt() {
    links_.cut_busy(NbdCut::interrupted);
    note_cut(NbdCut::interrupted);
    changed_.notify_all();
}

/// Call it after the client has broken connections.
void NbdClient::note_cut(NbdCut why) {
    collect();
    if (all_lost_) {
        cut_ = why;
    }
    if (polling_) {
        wake();
    }
}

int NbdClient::lost_error(NbdCut why) {
    return why == NbdCut::timed_out ? ETIMEDOUT : why == NbdCut::interrupted && interrupt_requested() ? EINTR : EIO;
}

int NbdClient::event_fd() {
    const Lock lock(mutex_);
    if (!epoll_.valid()) {
        epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.fd(), &event);
        if (finished_ != nullptr) {
            wake();
        }
    }
    links_.watch(epoll_.get());
    return epoll_.get();
}

void NbdClient::wake() {
    wake_.set();
}

} // namespace zoneio
