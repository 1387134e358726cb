// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/links.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/epoll.h>

namespace zoneio {

std::string nbd_difference(const NbdExport& first, const NbdExport& other) {
    struct Number {
        std::string_view name;
        uint64_t first;
        uint64_t other;
    };
    const Number numbers[] = {
        {"size", first.size, other.size},
        {"minimum block size", first.block_sizes.minimum, other.block_sizes.minimum},
        {"preferred block size", first.block_sizes.preferred, other.block_sizes.preferred},
        {"maximum block size", first.block_sizes.maximum, other.block_sizes.maximum},
    };
    for (const Number& number : numbers) {
        if (number.first != number.other) {
            return fmt::format("its {} is {} bytes, not {}", number.name, number.other, number.first);
        }
    }
    struct Ability {
        std::string_view name;
        bool first;
        bool other;
    };
    const Ability abilities[] = {
        {"writes", !first.read_only, !other.read_only},
        {"flush", first.can_flush, other.can_flush},
        {"FUA", first.can_fua, other.can_fua},
        {"trim", first.can_trim, other.can_trim},
        {"write zeroes", first.can_zero, other.can_zero},
        {"fast zeroes", first.can_fast_zero, other.can_fast_zero},
        {"several connections", first.can_multi_conn, other.can_multi_conn},
        {"block status", first.has_context, other.has_context},
    };
    for (const Ability& ability : abilities) {
        if (ability.first != ability.other) {
            return fmt::format("it {} {}", ability.other ? "supports" : "does not support", ability.name);
        }
    }
    return {};
}

void NbdLinks::add(std::unique_ptr<NbdConnection> connection) {
    generation_++;
    const auto lost = std::find_if(links_.begin(), links_.end(), [](const Link& link) { return link.connection->is_lost(); });
    if (lost == links_.end()) {
        links_.push_back({.connection = std::move(connection)});
        return;
    }
    forget(*lost);
    *lost = {.connection = std::move(connection)};
}

NbdConnection* NbdLinks::least_busy() const {
    NbdConnection* found = nullptr;
    for (const Link& link : links_) {
        NbdConnection& connection = *link.connection;
        if (!connection.is_lost() && (found == nullptr || connection.in_flight() < found->in_flight())) {
            found = &connection;
        }
    }
    return found;
}

unsigned NbdLinks::usable() const {
    return static_cast<unsigned>(
        std::count_if(links_.begin(), links_.end(), [](const Link& link) { return !link.connection->is_lost(); }));
}

const NbdConnection* NbdLinks::first_usable() const {
    for (const Link& link : links_) {
        if (!link.connection->is_lost()) {
            return link.connection.get();
        }
    }
    return nullptr;
}

std::span<pollfd> NbdLinks::fill(std::span<pollfd> fds) const {
    size_t count = 0;
    for (const Link& link : links_) {
        const NbdConnection& connection = *link.connection;
        fds[count++] = connection.is_lost() ? pollfd{-1, 0, 0} : pollfd{connection.fd(), connection.events(), 0};
    }
    return fds.first(count);
}

void NbdLinks::progress(std::span<const pollfd> fds, Duration waited) {
    for (size_t i = 0; i < fds.size(); i++) {
        Link& link = links_[i];
        if (link.connection->is_lost()) {
            continue;
        }
        if (fds[i].revents != 0) {
            link.silence = Duration::zero();
            link.connection->progress(fds[i].revents);
        } else {
            link.silence = link.connection->in_flight() > 0 ? link.silence + waited : Duration::zero();
        }
    }
}

bool NbdLinks::cut_silent(Duration limit) {
    bool any = false;
    for (Link& link : links_) {
        if (!link.connection->is_lost() && link.connection->in_flight() > 0 && link.silence >= limit) {
            link.connection->cut(NbdCut::timed_out);
            any = true;
        }
    }
    return any;
}

void NbdLinks::cut_busy(NbdCut why) {
    for (Link& link : links_) {
        if (!link.connection->is_lost() && link.connection->in_flight() > 0) {
            link.connection->cut(why);
        }
    }
}

NbdCommand* NbdLinks::take_finished() {
    NbdCommand* all = nullptr;
    for (const Link& link : links_) {
        for (NbdCommand* command = link.connection->take_finished(); command != nullptr;) {
            NbdCommand* const next = command->next;
            command->next = all;
            all = command;
            command = next;
        }
    }
    return all;
}

void NbdLinks::watch(int epoll) {
    epoll_ = epoll;
    if (epoll < 0) {
        return;
    }
    for (Link& link : links_) {
        const NbdConnection& connection = *link.connection;
        if (connection.is_lost()) {
            forget(link);
            continue;
        }
        const short wanted = connection.events();
        if (link.watched_fd >= 0 && link.watched == wanted) {
            continue;
        }
        epoll_event event{};
        event.events = static_cast<uint32_t>(wanted); // POLLIN and POLLOUT equal EPOLLIN and EPOLLOUT
        (void)epoll_ctl(epoll, link.watched_fd >= 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, connection.fd(), &event);
        link.watched_fd = connection.fd();
        link.watched = wanted;
    }
}

/// Removes the descriptor of a lost connection from the epoll descriptor. The kernel has done so if it is closed, and its number may
/// be that of a new connection.
void NbdLinks::forget(Link& link) const {
    if (link.watched_fd >= 0 && !link.connection->has_closed_fd()) {
        epoll_event ignored{};
        (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, link.watched_fd, &ignored);
    }
    link.watched_fd = -1;
}

} // namespace zoneio
