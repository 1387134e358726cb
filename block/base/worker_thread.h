// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace zoneio {

/// While it lives, this thread blocks the signals that are for the main thread: those of the terminal, timers, other
/// processes. Not those that an access to memory raises where it happens, SIGBUS above all: see MappedFile.
class WorkerSignals {
public:
    WorkerSignals() {
        sigset_t blocked;
        sigfillset(&blocked);
        for (const int number : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
            sigdelset(&blocked, number);
        }
        pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    }
    WorkerSignals(const WorkerSignals&) = delete;
    WorkerSignals& operator=(const WorkerSignals&) = delete;
    ~WorkerSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

/// Starts a thread that leaves signals to the main thread, which waits for them. Throws what std::thread throws.
template <typename Work>
std::thread start_worker(Work&& work) {
    const WorkerSignals inherited;
    return std::thread(std::forward<Work>(work));
}

/// The user's wish to end the running command, which the main thread learns of by a signal.
struct InterruptWatch {
    bool (*check)() = nullptr;
    std::thread::id main_thread;
};
inline InterruptWatch interrupt_watch;

/// Makes `check` the answer of interrupt_requested(). For whoever handles signals, on the main thread.
inline void set_interrupt_check(bool (*check)()) {
    interrupt_watch = {check, std::this_thread::get_id()};
}

/// Does the user want the running command to end? False on all threads but the main one, where commands run. Waits for what may
/// never come look at it about ten times a second.
inline bool interrupt_requested() {
    return interrupt_watch.check != nullptr && std::this_thread::get_id() == interrupt_watch.main_thread && interrupt_watch.check();
}

} // namespace zoneio
