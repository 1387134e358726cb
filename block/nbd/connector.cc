// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/connector.h"

#include "block/base/worker_thread.h"

#include <algorithm>
#include <condition_variable>

namespace zoneio {

namespace {

using std::chrono::milliseconds;

/// Shortest and longest pause between attempts.
struct Pauses {
    milliseconds first;
    milliseconds longest;
};
constexpr Pauses waited_pauses{milliseconds(50), milliseconds(1000)};
constexpr Pauses background_pauses{milliseconds(1000), milliseconds(16000)};

/// How long abandon() waits for the thread. A wait for a server ends within 100 ms; a name lookup may take longer.
constexpr milliseconds patience(500);

milliseconds pause_after(unsigned failures, NbdConnector::Haste haste) {
    const Pauses& pauses = haste == NbdConnector::Haste::waited ? waited_pauses : background_pauses;
    constexpr unsigned most_doublings = 10;
    return std::min(pauses.first * (1U << std::min(failures - 1, most_doublings)), pauses.longest);
}

} // namespace

/// What the connector and its thread share.
struct NbdConnector::Work {
    Work(const NbdLibrary& with, NbdSettings to) : library(with), settings(std::move(to)) {}

    const NbdLibrary& library;
    const NbdSettings settings;
    std::atomic<bool> cancelled = false;
    std::mutex mutex;
    std::condition_variable changed;
    Haste haste = Haste::background;
    bool running = true;
    bool hurried = false; ///< ends a pause
    unsigned failures = 0;
    unsigned attempts = 0;
    std::unique_ptr<NbdConnection> made;
};

void NbdConnector::run(Work& work) {
    std::unique_lock lock(work.mutex);
    while (!work.cancelled) {
        if (work.failures > 0 && !work.hurried) {
            work.changed.wait_for(lock, pause_after(work.failures, work.haste), [&] { return work.cancelled || work.hurried; });
        }
        work.hurried = false;
        if (work.cancelled) {
            break;
        }
        lock.unlock();
        Result<std::unique_ptr<NbdConnection>> made =
            NbdConnection::open(work.library, work.settings, {.time = std::nullopt, .cancelled = &work.cancelled});
        lock.lock();
        work.attempts++;
        if (made.ok()) {
            work.made = std::move(*made);
            break;
        }
        work.failures++;
        work.changed.notify_all();
    }
    work.running = false;
    work.changed.notify_all();
}

void NbdConnector::start(Haste haste) {
    if (work_) {
        const std::lock_guard lock(work_->mutex);
        if (work_->haste != haste) {
            work_->haste = haste;
            work_->hurried = haste == Haste::waited;
            work_->failures = std::min(work_->failures, 1U);
            work_->changed.notify_all();
        }
        return;
    }
    auto work = std::make_shared<Work>(library_, settings_);
    work->haste = haste;
    work->failures = failures_before_;
    work->attempts = attempts_before_;
    try {
        thread_ = start_worker([work] { run(*work); });
    } catch (const std::system_error&) {
        attempts_before_++; // too many threads: this attempt has failed
        return;
    }
    work_ = std::move(work);
}

std::unique_ptr<NbdConnection> NbdConnector::take() {
    if (!work_) {
        return nullptr;
    }
    std::unique_ptr<NbdConnection> made;
    {
        const std::lock_guard lock(work_->mutex);
        made = std::move(work_->made);
        attempts_before_ = work_->attempts;
    }
    if (made) {
        thread_.join(); // it ends after a success
        work_.reset();
    }
    return made;
}

unsigned NbdConnector::attempts() const {
    if (!work_) {
        return attempts_before_;
    }
    const std::lock_guard lock(work_->mutex);
    return work_->attempts;
}

void NbdConnector::wait(std::unique_lock<std::mutex>& owner, unsigned seen, milliseconds longest) {
    const std::shared_ptr<Work> work = work_;
    if (!work) {
        return;
    }
    owner.unlock();
    {
        std::unique_lock lock(work->mutex);
        work->changed.wait_for(lock, longest, [&] { return work->attempts != seen; });
    }
    owner.lock();
}

void NbdConnector::abandon() {
    if (!work_) {
        return;
    }
    bool ended = false;
    {
        std::unique_lock lock(work_->mutex);
        work_->cancelled = true;
        work_->changed.notify_all();
        ended = work_->changed.wait_for(lock, patience, [this] { return !work_->running; });
        attempts_before_ = work_->attempts;
    }
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
    work_.reset();
}

} // namespace zoneio
