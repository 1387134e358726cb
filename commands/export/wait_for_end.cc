// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/export/wait_for_end.h"

#include "commands/export/signals.h"

#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

namespace {

int signal_event = -1;

void note_signal(int /*number*/) {
    const int before = errno;
    const uint64_t one = 1;
    (void)!write(signal_event, &one, sizeof(one));
    errno = before;
}

} // namespace

EndSignals::EndSignals() {
    signal_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action{};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < numbers.size(); i++) {
        sigaction(numbers[i], &action, &before_[i]);
    }
}

EndSignals::~EndSignals() {
    for (size_t i = 0; i < numbers.size(); i++) {
        sigaction(numbers[i], &before_[i], nullptr);
    }
    close(signal_event);
}

int EndSignals::fd() const {
    return signal_event;
}

void wait_for_end(Session& session, const Export& served, const EndSignals& signals) {
    session.out().flush();
    while (true) {
        pollfd events[] = {{signals.fd(), POLLIN, 0}, {served.ended_fd(), POLLIN, 0}, {termination_fd(), POLLIN, 0},
                           {session.news_fd(), POLLIN, 0}};
        {
            const Turn::Pause pause(session.turn());
            (void)poll(events, std::size(events), -1);
        }
        if (events[3].revents != 0) {
            session.tell_news();
            session.out().flush();
        }
        if (events[0].revents != 0 || events[1].revents != 0 || events[2].revents != 0) {
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
