// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/export/signals.h"

#include "commands/long_work.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr std::array numbers{SIGTERM, SIGHUP};

std::array<struct sigaction, numbers.size()> before;
int event = -1;
bool is_delayed = false;
volatile sig_atomic_t received = 0;

void note(int number) {
    const int error = errno;
    const uint64_t one = 1;
    received = number;
    InterruptEndsCommand::request();
    (void)!write(event, &one, sizeof(one));
    errno = error;
}

} // namespace

void delay_termination() {
    if (is_delayed) {
        return;
    }
    event = event >= 0 ? event : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction action{};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < numbers.size(); i++) {
        sigaction(numbers[i], &action, &before[i]);
    }
    is_delayed = true;
}

void stop_delaying_termination() {
    if (!is_delayed || received != 0) {
        return;
    }
    for (size_t i = 0; i < numbers.size(); i++) {
        sigaction(numbers[i], &before[i], nullptr);
    }
    is_delayed = false;
    terminate_if_wanted();
}

int termination_fd() {
    return is_delayed ? event : -1;
}

bool is_termination_wanted() {
    return received != 0;
}

void terminate_if_wanted() {
    if (received != 0) {
        signal(received, SIG_DFL);
        raise(received);
    }
}

bool wait_for_input(int fd) {
    pollfd events[] = {{fd, POLLIN, 0}, {termination_fd(), POLLIN, 0}};
    while (!is_termination_wanted()) {
        if (poll(events, std::size(events), -1) > 0 && events[0].revents != 0) {
            return true;
        }
    }
    return false;
}

} // namespace zoneio
