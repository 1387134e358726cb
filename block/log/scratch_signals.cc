// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/scratch_signals.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr std::array numbers{SIGINT, SIGTERM, SIGHUP};

using Path = std::array<char, PATH_MAX>;

// Plain memory, because a signal handler reads it.
std::array<Path, 3> files_to_remove;
Path folder_to_remove;
std::array<bool, numbers.size()> is_handled;
volatile sig_atomic_t is_in_use = 0;

bool store(const std::string& path, Path& stored) {
    if (path.size() >= stored.size()) {
        return false;
    }
    *std::copy(path.begin(), path.end(), stored.begin()) = '\0';
    return true;
}

void remove_and_end(int number) {
    // The signal ends the program only after the handler has returned.
    const int error = errno;
    remove_for_signal();
    signal(number, SIG_DFL);
    raise(number);
    errno = error;
}

} // namespace

void remove_for_signal() {
    if (is_in_use == 0) {
        return;
    }
    for (const Path& file : files_to_remove) {
        unlink(file.data());
    }
    rmdir(folder_to_remove.data());
}

void remove_at_signals(const std::string& folder, const std::array<std::string, 3>& files) {
    if (is_in_use != 0 || !store(folder, folder_to_remove)) {
        return;
    }
    for (size_t i = 0; i < files.size(); i++) {
        if (!store(files[i], files_to_remove[i])) {
            return;
        }
    }
    is_in_use = 1;
    for (size_t i = 0; i < numbers.size(); i++) {
        struct sigaction present{};
        sigaction(numbers[i], nullptr, &present);
        is_handled[i] = (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == SIG_DFL;
        if (is_handled[i]) {
            struct sigaction action{};
            // Without SA_RESTART: the thread sanitizer runs the handler when the call that waits has returned.
            action.sa_handler = remove_and_end;
            sigaction(numbers[i], &action, nullptr);
        }
    }
}

void keep_at_signals() {
    for (size_t i = 0; i < numbers.size() && is_in_use != 0; i++) {
        if (is_handled[i]) {
            signal(numbers[i], SIG_DFL);
        }
    }
    is_in_use = 0;
}

} // namespace zoneio
