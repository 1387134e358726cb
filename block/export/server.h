// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/worker_thread.h"
#include "block/engine/event.h"
#include "block/export/export.h"
#include "block/export/port.h"

#include <sys/epoll.h>
#include <system_error>
#include <thread>

namespace zoneio {

/// What all exports have: a thread and what it waits for, access to the gate, and the state that other threads see.
class ExportServer : public Export {
public:
    ExportServer(BlockBackend& backend, std::mutex& turn, ExportOptions options)
        : Export(std::move(options)), port_(backend, turn) {}

    ExportState state() const override {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    int ended_fd() const override { return ended_.fd(); }
    void look() override {
        if (port_.has_tasks()) {
            port_.wake();
        }
    }

protected:
    /// EAGAIN: no thread could be created.
    template <typename Function>
    Status start_thread(Function&& function) {
        try {
            thread_ = start_worker(std::forward<Function>(function));
        } catch (const std::system_error&) {
            return Status::error(EAGAIN, "no thread to serve the image with");
        }
        return {};
    }

    void watch(int fd, uint64_t tag) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = tag;
        (void)epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event);
    }
    void forget(int fd) { (void)epoll_ctl(events_.get(), EPOLL_CTL_DEL, fd, nullptr); }

    template <typename Change>
    void change_state(const Change& change) {
        const std::lock_guard lock(mutex_);
        change(state_);
    }
    void note_problem(const std::string& problem) {
        change_state([&](ExportState& state) {
            state.problems++;
            state.last_problem = problem;
        });
        if (options_.on_problem) {
            options_.on_problem(problem);
        }
    }
    /// The last call of the thread.
    void note_end() {
        change_state([](ExportState& state) {
            state.has_ended = true;
            state.is_connected = false;
        });
        ended_.set();
    }

    BackendPort port_;
    FileDescriptor events_{epoll_create1(EPOLL_CLOEXEC)}; ///< what the thread waits for
    Event stop_;                                          ///< set: the thread shall end
    Event ended_;
    bool is_stopping_ = false;
    std::thread thread_;

private:
    mutable std::mutex mutex_;
    ExportState state_;
};

} // namespace zoneio
