// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/base/file_descriptor.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace zoneio {

/// A way through the gate for one thread, beside the thread that has the BlockBackend.
///
/// Requests are checked, traced and forced out as those of commands are, and done by an engine of its own. Requests that
/// end quickly are done where they are submitted; where the storage makes the thread wait, an engine takes over.
///
/// In a chain with breakpoints requests are tasks, and all tasks have one owner at a time: the thread that holds `turn`.
class BackendPort {
public:
    /// The backend outlives the port. `turn` is held by the other thread whenever it uses the backend.
    BackendPort(BlockBackend& backend, std::mutex& turn);
    /// Nothing is in flight any more.
    ~BackendPort();
    BackendPort(const BackendPort&) = delete;
    BackendPort& operator=(const BackendPort&) = delete;

    /// Are requests tasks, which other threads may let go on?
    bool has_tasks() const { return backend_.tasks_ != nullptr; }
    const Limits& limits() const { return backend_.limits(); }
    bool writethrough() const { return backend_.writethrough(); }
    const NodeFlags& flags() const { return backend_.root_->flags(); }
    Result<uint64_t> length() { return backend_.length(); }
    /// The zone that holds an offset, as the device has it now; without debug events. Nothing when the device does not say.
    std::optional<ZoneDescriptor> zone_at(uint64_t offset);
    /// All zones likewise.
    Status zones_now(const ZoneVisitor& visit);

    /// Reads what the device holds, now; without debug events.
    Status read_now(uint64_t offset, std::span<uint8_t> target);

    /// Begins a request; true when it was done at once. `alone`: nothing else waits to be submitted.
    bool submit(Request& request, bool alone);
    /// Hands over what the engine has kept back.
    void kick();
    /// Lets requests go on and marks those that have finished as done. `look` is called then; only in there, or after drain(),
    /// may Request::done be read.
    template <typename Look>
    void reap(Look&& look) {
        const std::unique_lock lock = take_turn();
        reap_locked();
        look();
    }
    /// Waits for everything in flight. Requests held at breakpoints or throttled go on.
    void drain();

    /// Readable when reap() would find something. Valid after begin(), for as long as the port lives.
    int event_fd() const;
    /// Called by the port's thread before anything else.
    void begin();
    /// Milliseconds until reap() will find a request that only waits for time to pass; -1 when there is none.
    int timeout_ms();
    /// May be called by any thread: the port's thread is to look at its requests.
    void wake() const;

private:
    using Clock = std::chrono::steady_clock;

    std::unique_lock<std::mutex> take_turn() {
        return has_tasks() ? std::unique_lock(turn_) : std::unique_lock<std::mutex>();
    }
    BlockNode& below_filters() const;
    bool may_do_here(const Request& request, bool alone) const;
    void do_here(Request& request);
    void note_duration(Clock::duration duration, uint64_t bytes);
    void reap_locked();
    std::unique_ptr<IoEngine> make_engine();

    BlockBackend& backend_;
    std::mutex& turn_;
    FileDescriptor woken_;  ///< an eventfd
    FileDescriptor events_; ///< an epoll descriptor: woken_, and the engine's events
    std::unique_ptr<IoEngine> engine_;
    bool does_here_ = false; ///< requests may be done where they are submitted
    unsigned waits_ = 0;     ///< as long as it is not 0, storage is taken to make requests wait
    unsigned next_waits_;    ///< what waits_ becomes after the next request that had to wait
};

} // namespace zoneio
