// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"
#include "block/engine/event.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace zoneio {

/// Access to the gate for one thread besides the one that owns the BlockBackend.
///
/// Requests are checked, traced and forced out like the requests of commands. They have their own engine. While the
/// storage answers at once, requests run on the submitting thread; while it makes requests wait, the engine runs them.
///
/// In a chain with breakpoints, requests are tasks, and all tasks have one owner at a time: the thread that holds
/// `turn`.
class BackendPort {
public:
    /// The backend must outlive the port. The other thread holds `turn` whenever it uses the backend.
    BackendPort(BlockBackend& backend, std::mutex& turn);
    /// REQUIRES: no request in flight.
    ~BackendPort();
    BackendPort(const BackendPort&) = delete;
    BackendPort& operator=(const BackendPort&) = delete;

    /// True if requests are tasks, which other threads may resume.
    bool has_tasks() const { return backend_.tasks_ != nullptr; }
    const Limits& limits() const { return backend_.limits(); }
    bool writethrough() const { return backend_.writethrough(); }
    const NodeFlags& flags() const { return backend_.root_->flags(); }
    Result<uint64_t> length() { return backend_.length(); }
    /// The zone that contains `offset`, read from the device now, without debug events. Empty if the device fails.
    std::optional<ZoneDescriptor> zone_at(uint64_t offset);
    /// The write pointer of the zone that contains `offset`, in bytes, read from the device now. Empty if it has none.
    std::optional<uint64_t> write_pointer(uint64_t offset);
    /// Visits all zones, read from the device now, without debug events.
    Status zones_now(const ZoneVisitor& visit);

    /// Reads from the device now, without debug events.
    Status read_now(uint64_t offset, std::span<uint8_t> target);

    /// Starts a request. True if it is done already. `alone`: no other request is about to be submitted.
    bool submit(Request& request, bool alone);
    /// Submits the pending batch of the engine.
    void kick();
    /// Lets requests continue, marks finished ones as done, and calls `look`. Request::done may be read only in `look`
    /// and after drain().
    template <typename Look>
    void reap(Look&& look) {
        const std::unique_lock lock = take_turn();
        reap_locked();
        look();
    }
    /// Waits for all requests in flight. Held and throttled requests continue.
    void drain();

    /// Readable when reap() would find a request. Valid from begin() to the end of the port.
    int event_fd() const;
    /// Must be called first, on the port's thread.
    void begin();
    /// Milliseconds until the first of the requests that wait for a time can continue; -1 if no request does.
    int timeout_ms();
    /// Makes the port's thread check its requests. May be called on any thread.
    void wake() const;

private:
    using Clock = std::chrono::steady_clock;

    std::unique_lock<std::mutex> take_turn() {
        return has_tasks() ? std::unique_lock(turn_) : std::unique_lock<std::mutex>();
    }
    BlockNode& below_filters() const;
    bool may_do_here(const Request& request, bool alone) const;
    void do_here(Request& request);
    void note_wait(bool had_to_wait);
    void reap_locked();
    std::unique_ptr<IoEngine> make_engine();

    BlockBackend& backend_;
    std::mutex& turn_;
    Event woken_;
    FileDescriptor events_; ///< epoll descriptor for woken_ and the engine's events
    std::unique_ptr<IoEngine> engine_;
    bool does_here_ = false; ///< requests may run on the submitting thread
    unsigned measured_ = 0;  ///< number of next requests here of which it is measured whether they wait or work
    unsigned waits_ = 0;     ///< while not 0, the storage is assumed to make requests wait
    unsigned next_waits_;    ///< next value of waits_ after a request that had to wait
};

} // namespace zoneio
