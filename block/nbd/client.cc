// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/client.h"

#include "block/base/worker_thread.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

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
    const auto end = std::min(std::chrono::steady_clock::now() + length, deadline.value_or(std::chrono::steady_clock::now()));
    while (std::chrono::steady_clock::now() < end) {
        if (interrupt_requested()) {
            return false;
        }
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(poll_interval, end - std::chrono::steady_clock::now()));
    }
    length = std::min(length * 2, longest_pause);
    return deadline && std::chrono::steady_clock::now() < *deadline;
}

} // namespace

Result<std::unique_ptr<NbdClient>> NbdClient::open(NbdSettings settings) {
    Result<const NbdLibrary*> library = load_nbd_library();
    if (!library.ok()) {
        return std::move(library).status();
    }
    const auto timeout = settings.open_timeout;
    std::unique_ptr<NbdClient> client(new NbdClient(**library, std::move(settings)));
    const NbdDeadline deadline = timeout.count() > 0 ? NbdDeadline(Clock::now() + timeout) : std::nullopt;
    Result<std::unique_ptr<NbdConnection>> connection = client->connect(deadline);
    if (!connection.ok()) {
        return std::move(connection).status();
    }
    client->facts_ = (*connection)->facts();
    client->connection_ = std::move(*connection);
    client->wake_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return client;
}

NbdClient::~NbdClient() = default;

/// Connects: one attempt, or attempts until the deadline if there is one.
Result<std::unique_ptr<NbdConnection>> NbdClient::connect(const NbdDeadline& deadline) const {
    milliseconds length = first_pause;
    while (true) {
        Result<std::unique_ptr<NbdConnection>> made = NbdConnection::open(library_, settings_, deadline);
        // A descriptor can be used only once.
        const bool is_last = settings_.address.type == NbdAddress::Type::descriptor;
        if (made.ok() || made.status().code() == EINTR || is_last || !pause(length, deadline)) {
            return made;
        }
    }
}

/// EIO if the server's export no longer takes the requests that it took. As in QEMU, its size may change: requests past its
/// end fail.
Status NbdClient::check_same(const NbdExport& found) const {
    const bool same = (facts_.read_only || !found.read_only) && found.block_sizes.minimum <= facts_.block_sizes.minimum;
    return same ? Status() : Status::from_errno(EIO);
}

/// Replaces a broken connection if the settings allow it; otherwise EIO.
Status NbdClient::ensure_connected(Lock& lock) {
    while (connecting_) {
        if (interrupt_requested()) {
            return Status::from_errno(EINTR);
        }
        wait_for_others(lock);
    }
    if (!connection_->is_lost()) {
        return {};
    }
    if (settings_.reconnect_delay.count() == 0 && cut_ == Cut::no) {
        return Status::from_errno(EIO, Cause::server_unreachable);
    }
    connecting_ = true;
    // After the delay, each request makes one attempt; so does the first request after an interrupt.
    const Clock::time_point end = lost_at_ + settings_.reconnect_delay;
    const NbdDeadline deadline = end > Clock::now() ? NbdDeadline(end) : std::nullopt;
    lock.unlock();
    Result<std::unique_ptr<NbdConnection>> made = connect(deadline);
    lock.lock();
    connecting_ = false;
    changed_.notify_all();
    if (!made.ok()) {
        return Status::from_errno(made.status().code() == EINTR ? EINTR : EIO, Cause::server_unreachable);
    }
    if (Status status = check_same((*made)->facts()); !status.ok()) {
        return status;
    }
    connection_ = std::move(*made);
    cut_ = Cut::no;
    silent_ms_ = 0;
    watch();
    return {};
}

Status NbdClient::perform(NbdCommand& command) {
    Lock lock(mutex_);
    NbdDeadline deadline;
    while (true) {
        if (connecting_ || connection_->is_lost()) {
            if (Status status = ensure_connected(lock); !status.ok()) {
                return status;
            }
        }
        connection_->issue(command);
        collect();
        if (polling_) {
            wake();
        }
        wait(lock, [&command] { return command.done; });
        if (!command.lost) {
            return command.error == 0 ? Status() : Status::from_errno(command.error);
        }
        if (cut_ != Cut::no || settings_.reconnect_delay.count() == 0) {
            return Status::from_errno(lost_error(), Cause::server_unreachable);
        }
        // Limits the wait for a server that accepts connections and drops them, as for one that accepts none.
        if (!deadline) {
            deadline = lost_at_ + settings_.reconnect_delay;
        } else if (Clock::now() >= *deadline) {
            return Status::from_errno(EIO, Cause::server_unreachable);
        }
    }
}

bool NbdClient::start(NbdCommand& command) {
    const Lock lock(mutex_);
    if (connecting_ || connection_->is_lost()) {
        return false;
    }
    started_++;
    connection_->issue(command);
    collect();
    if (polling_) {
        wake();
    }
    return true;
}

NbdCommand* NbdClient::take_finished(bool wait_for_one) {
    Lock lock(mutex_);
    if (wait_for_one) {
        wait(lock, [this] { return finished_ != nullptr || started_ == 0; });
    } else if (!polling_ && finished_ == nullptr && !connection_->is_lost()) {
        pollfd ready{connection_->fd(), connection_->events(), 0};
        if (poll(&ready, 1, 0) > 0) {
            connection_->progress(ready.revents);
            collect();
        }
    }
    watch();
    if (epoll_.valid()) {
        uint64_t ignored = 0;
        (void)!read(wake_.get(), &ignored, sizeof(ignored));
    }
    NbdCommand* const list = std::exchange(finished_, nullptr);
    for (NbdCommand* command = list; command != nullptr; command = command->next) {
        started_--;
        if (command->lost) {
            command->error = cut_ == Cut::no && settings_.reconnect_delay.count() > 0 ? EAGAIN : lost_error();
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
    NbdDeadline patience;
    while (!is_over()) {
        if (interrupt_requested()) {
            // A working server gets time to answer, because that keeps the connection.
            patience = patience.value_or(Clock::now() + interrupt_patience);
            if (Clock::now() >= *patience) {
                cut(Cut::interrupted);
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
int NbdClient::poll_awake(std::span<pollfd, 2> fds) {
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
    NbdConnection& connection = *connection_;
    pollfd fds[] = {{connection.fd(), connection.events(), 0}, {wake_.get(), POLLIN, 0}};
    polling_ = true;
    lock.unlock();
    int count = poll_awake(fds);
    if (count == 0) {
        count = poll(fds, 2, static_cast<int>(poll_interval.count()));
    }
    lock.lock();
    polling_ = false;
    if (fds[1].revents != 0) {
        uint64_t ignored = 0;
        (void)!read(wake_.get(), &ignored, sizeof(ignored));
    }
    // The connection may have been replaced during the wait.
    if (connection_.get() == &connection && fds[0].revents != 0) {
        silent_ms_ = 0;
        connection.progress(fds[0].revents);
        collect();
    } else if (count == 0) {
        silent_ms_ += static_cast<unsigned>(poll_interval.count());
        if (settings_.request_timeout.count() > 0 && milliseconds(silent_ms_) >= settings_.request_timeout) {
            cut(Cut::timed_out);
        }
    }
    if (waiters_ > 0) {
        changed_.notify_all();
    }
}

/// Collects finished commands, and notes if the connection broke.
void NbdClient::collect() {
    const bool had_none = finished_ == nullptr;
    for (NbdCommand* command = connection_->take_finished(); command != nullptr;) {
        NbdCommand* const next = command->next;
        command->next = finished_;
        finished_ = command;
        command = next;
    }
    if (had_none && finished_ != nullptr && epoll_.valid()) {
        wake();
    }
    if (connection_->is_lost() && lost_connection_ != connection_.get()) {
        lost_connection_ = connection_.get();
        lost_at_ = Clock::now();
    }
}

void NbdClient::cut(Cut why) {
    if (!connection_->is_lost()) {
        cut_ = why;
        connection_->cut();
        collect();
    }
    if (polling_) {
        wake();
    }
    changed_.notify_all();
}

int NbdClient::lost_error() const {
    return cut_ == Cut::timed_out ? ETIMEDOUT : cut_ == Cut::interrupted && interrupt_requested() ? EINTR : EIO;
}

int NbdClient::event_fd() {
    const Lock lock(mutex_);
    if (!epoll_.valid()) {
        epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
        epoll_event event{};
        event.events = EPOLLIN;
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
        if (finished_ != nullptr) {
            wake();
        }
    }
    watch();
    return epoll_.get();
}

/// Updates the events of the connection for which epoll_ waits.
void NbdClient::watch() {
    if (!epoll_.valid()) {
        return;
    }
    const bool lost = connection_->is_lost();
    const int fd = lost ? -1 : connection_->fd();
    const short wanted = lost ? short{0} : connection_->events();
    if (fd == watched_fd_ && wanted == watched_) {
        return;
    }
    epoll_event event{};
    event.events = static_cast<uint32_t>(wanted); // POLLIN and POLLOUT equal EPOLLIN and EPOLLOUT
    if (watched_fd_ >= 0 && watched_fd_ != fd) {
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched_fd_, &event);
    }
    if (fd >= 0) {
        (void)epoll_ctl(epoll_.get(), watched_fd_ == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    }
    watched_fd_ = fd;
    watched_ = wanted;
}

void NbdClient::wake() {
    const uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof(one));
}

} // namespace zoneio
