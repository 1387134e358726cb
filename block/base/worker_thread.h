// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace zoneio {

/// Blocks the signals of the main thread (from the terminal, timers and other processes) in this thread while the
/// object exists. Signals raised by an access to memory stay unblocked: MappedFile needs SIGBUS.
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

/// Starts a thread that leaves signals to the main thread. Throws what std::thread throws.
template <typename Work>
std::thread start_worker(Work&& work) {
    const WorkerSignals inherited;
    return std::thread(std::forward<Work>(work));
}

/// How other code learns that the user wants to end the running command: the main thread receives a signal.
struct InterruptWatch {
    bool (*check)() = nullptr;
    std::thread::id main_thread;
};
inline InterruptWatch interrupt_watch;

/// Sets the function behind interrupt_requested(). Called by the code that handles signals, on the main thread.
inline void set_interrupt_check(bool (*check)()) {
    interrupt_watch = {check, std::this_thread::get_id()};
}

/// True on the thread that the user may interrupt.
inline bool may_be_interrupted() {
    return interrupt_watch.check != nullptr && std::this_thread::get_id() == interrupt_watch.main_thread;
}

/// True if the user wants the running command to end. Always false on other threads than the main one, which runs the
/// commands. Waits that may never end poll it about ten times a second.
inline bool interrupt_requested() {
    return may_be_interrupted() && interrupt_watch.check();
}

} // namespace zoneio
