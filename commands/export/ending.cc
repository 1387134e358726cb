// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/export/ending.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// While it exists, SIGINT and SIGTERM end a wait instead of the program.
class EndSignals {
public:
    EndSignals() {
        event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct sigaction action{};
        action.sa_handler = [](int) {
            const int before = errno;
            const uint64_t one = 1;
            (void)!write(event, &one, sizeof(one));
            errno = before;
        };
        for (size_t i = 0; i < std::size(numbers); i++) {
            sigaction(numbers[i], &action, &before_[i]);
        }
    }
    ~EndSignals() {
        for (size_t i = 0; i < std::size(numbers); i++) {
            sigaction(numbers[i], &before_[i], nullptr);
        }
        close(event);
    }
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable after a signal.
    int fd() const { return event; }

private:
    static constexpr int numbers[] = {SIGINT, SIGTERM};
    static inline int event = -1;
    struct sigaction before_[std::size(numbers)]{};
};

} // namespace

void wait_for_end(Session& session, const Export& served) {
    const EndSignals signals;
    session.out().flush();
    while (true) {
        pollfd events[] = {{signals.fd(), POLLIN, 0}, {served.ended_fd(), POLLIN, 0}, {session.news_fd(), POLLIN, 0}};
        {
            const Turn::Pause pause(session.turn());
            (void)poll(events, std::size(events), -1);
        }
        if (events[2].revents != 0) {
            session.tell_news();
            session.out().flush();
        }
        if (events[0].revents != 0 || events[1].revents != 0) {
            return;
        }
    }
}

Status end_export(Session& session, Export& served) {
    session.wait_until_unused(served);
    session.exports().stop(served);
    return session.backend().execute(Request::flush());
}

} // namespace zoneio
