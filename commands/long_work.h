// SPDX-License-Identifier: GPL-3.0-or-later
//
// Long commands: showing progress, and interrupting them.
#pragma once

#include "block/backend.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace zoneio {

/// While it exists, SIGINT asks the running command to end instead of ending the program. Not every command checks for
/// this, so a second SIGINT ends the program.
class InterruptEndsCommand {
public:
    /// `end_program`: called by the signal handler with the signal number.
    explicit InterruptEndsCommand(void (*end_program)(int));
    ~InterruptEndsCommand();
    InterruptEndsCommand(const InterruptEndsCommand&) = delete;
    InterruptEndsCommand& operator=(const InterruptEndsCommand&) = delete;

    /// True while one exists.
    static bool is_active();
    /// Does what SIGINT does, but never ends the program. For signal handlers.
    static void request();
    /// True after SIGINT or request().
    static bool is_requested();

private:
    struct sigaction before_{};
};

/// Work done in steps. After one second a line on stderr shows the progress, if stderr is a terminal.
class LongWork {
public:
    enum class Unit : uint8_t { bytes, zones, states };

    /// `total`: in units.
    LongWork(std::string_view what, uint64_t total, Unit unit);
    /// Removes the line.
    ~LongWork();
    LongWork(const LongWork&) = delete;
    LongWork& operator=(const LongWork&) = delete;

    /// True when the progress is shown or the work can be interrupted.
    static bool is_watched();

    /// Reports progress: `done` units. False: the work must end here.
    bool step(uint64_t done);

private:
    using Clock = std::chrono::steady_clock;

    void show(uint64_t done, Clock::time_point now);

    std::string_view what_;
    uint64_t total_;
    Unit unit_;
    bool is_terminal_;
    size_t shown_ = 0; ///< length of the line
    Clock::time_point start_ = Clock::now();
    Clock::time_point next_show_ = start_ + std::chrono::seconds(1);
};

/// Largest piece of an interruptible request, in bytes.
inline constexpr uint64_t piece_bytes = 16U << 20;

/// True when a request of this many bytes may be split: it is watched, and splitting makes no visible difference.
bool may_do_in_pieces(const BlockBackend& backend, uint64_t bytes);

/// Runs a request whole or in pieces. `piece(done, part, more)` transfers `part` bytes, starting `done` bytes after the start.
///
/// EINTR: interrupted after `done` bytes.
template <typename Piece>
Status do_in_pieces(const BlockBackend& backend, std::string_view what, uint64_t offset, uint64_t bytes, uint64_t& done,
                    Piece&& piece) {
    if (bytes <= piece_bytes || !may_do_in_pieces(backend, bytes)) {
        done = 0;
        return piece(uint64_t{0}, bytes, false);
    }
    LongWork work(what, bytes, LongWork::Unit::bytes);
    for (done = 0; done < bytes;) {
        // Pieces start at multiples of their size, so that only the first and the last are padded.
        const uint64_t part = std::min(bytes - done, piece_bytes - (offset + done) % piece_bytes);
        Status status = piece(done, part, done + part < bytes);
        if (!status.ok()) {
            return status;
        }
        done += part;
        if (done < bytes && !work.step(done)) {
            return Status::from_errno(EINTR);
        }
    }
    return {};
}

/// Writes in pieces, see do_in_pieces().
Status write_in_pieces(BlockBackend& backend, uint64_t offset, const IoVec& iov, WriteFlags flags, uint64_t& done);

/// BlockBackend::zone_report, a few thousand zones at a time. `seen`: number of zones reported, also after EINTR
/// (interrupted).
Status report_in_pieces(BlockBackend& backend, uint64_t offset, uint64_t count, const ZoneVisitor& visit, uint64_t& seen);

/// True when a command ended because the user interrupted it.
inline bool was_interrupted(const Status& status) {
    return status.code() == EINTR && InterruptEndsCommand::is_requested();
}

} // namespace zoneio
