// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands that may take long: how far they are, and ending them before their end.
#pragma once

#include "block/backend.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace zoneio {

/// While it lives, an interrupt (SIGINT) asks the command that runs to end, instead of ending the program. Not every
/// command looks at that, nor at once: a second interrupt ends the program.
class InterruptEndsCommand {
public:
    /// `end_program` is called by the signal handler, with the signal's number.
    explicit InterruptEndsCommand(void (*end_program)(int));
    ~InterruptEndsCommand();
    InterruptEndsCommand(const InterruptEndsCommand&) = delete;
    InterruptEndsCommand& operator=(const InterruptEndsCommand&) = delete;

    /// Is there one?
    static bool is_active();
    /// Was the command asked to end?
    static bool is_requested();

private:
    struct sigaction before_{};
};

/// Something that is done step by step. After a second a line on stderr shows how far it is, if that is a terminal.
class LongWork {
public:
    enum class Unit : uint8_t { bytes, zones };

    /// `total` in units.
    LongWork(std::string_view what, uint64_t total, Unit unit);
    /// Takes the line away.
    ~LongWork();
    LongWork(const LongWork&) = delete;
    LongWork& operator=(const LongWork&) = delete;

    /// Does anybody look at the line, or may anybody end the work?
    static bool is_watched();

    /// So much of it is done. False: it is to end here.
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

/// The largest piece of a request that somebody may want to end, bytes.
inline constexpr uint64_t piece_bytes = 16U << 20;

/// May a request of so many bytes be done in pieces, because somebody watches and nobody could tell the difference?
bool may_do_in_pieces(const BlockBackend& backend, uint64_t bytes);

/// Does a request at once, or in pieces: `piece(done, part, more)` does `part` bytes from `done` on.
///
/// EINTR: the user ended it. `done` says how many bytes were done then.
template <typename Piece>
Status do_in_pieces(const BlockBackend& backend, std::string_view what, uint64_t offset, uint64_t bytes, uint64_t& done,
                    Piece&& piece) {
    if (bytes <= piece_bytes || !may_do_in_pieces(backend, bytes)) {
        done = 0;
        return piece(uint64_t{0}, bytes, false);
    }
    LongWork work(what, bytes, LongWork::Unit::bytes);
    for (done = 0; done < bytes;) {
        // Between them they begin at multiples, so that none but the first and last are padded.
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

/// Writes so.
Status write_in_pieces(BlockBackend& backend, uint64_t offset, const IoVec& iov, WriteFlags flags, uint64_t& done);

/// Reports zones as BlockBackend::zone_report does, some thousands at a time. `seen` says how many there were, also after
/// EINTR: the user ended it.
Status report_in_pieces(BlockBackend& backend, uint64_t offset, uint64_t count, const ZoneVisitor& visit, uint64_t& seen);

/// Did a command end because the user wanted it to?
inline bool was_interrupted(const Status& status) {
    return status.code() == EINTR && InterruptEndsCommand::is_requested();
}

} // namespace zoneio
