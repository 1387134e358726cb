// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/long_work.h"

#include "block/base/size.h"
#include "block/base/worker_thread.h"
#include "block/trace/trace.h"
#include "commands/text/print.h"
#include "commands/text/terminal.h"

#include <atomic>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr std::chrono::milliseconds between_shows(200);

// Set by a signal handler, and read by threads that wait for servers.
std::atomic<bool> active = false;
std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);
void (*end_program)(int) = nullptr;

void on_interrupt(int number) {
    if (requested) {
        end_program(number);
    }
    requested = true;
}

/// Width of the terminal in columns; 80 if it reports none.
size_t terminal_width() {
    constexpr size_t usual = 80;
    const size_t columns = line_columns(STDERR_FILENO);
    return columns != SIZE_MAX ? columns : usual;
}

std::string amount(uint64_t value, LongWork::Unit unit) {
    switch (unit) {
    case LongWork::Unit::bytes: return format_size(value);
    case LongWork::Unit::zones: return fmt::format("{} zones", value);
    case LongWork::Unit::states: break;
    }
    return fmt::format("{} states", value);
}

} // namespace

InterruptEndsCommand::InterruptEndsCommand(void (*at_second)(int)) {
    end_program = at_second;
    requested = false;
    active = true;
    set_interrupt_check(is_requested);
    struct sigaction action{};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, &before_);
}

InterruptEndsCommand::~InterruptEndsCommand() {
    sigaction(SIGINT, &before_, nullptr);
    active = false;
}

bool InterruptEndsCommand::is_active() {
    return active;
}

void InterruptEndsCommand::request() {
    requested = true;
}

bool InterruptEndsCommand::is_requested() {
    return active && requested;
}

LongWork::LongWork(std::string_view what, uint64_t total, Unit unit)
    : what_(what), total_(total), unit_(unit), is_terminal_(isatty(STDERR_FILENO) != 0) {}

LongWork::~LongWork() {
    if (shown_ > 0) {
        print_to(stderr, "\r{:{}}\r", "", shown_);
    } else if (is_terminal_ && InterruptEndsCommand::is_requested()) {
        // Starts a new line after the ^C that the terminal shows.
        fputs("\n", stderr);
    }
}

bool LongWork::is_watched() {
    return InterruptEndsCommand::is_active() || isatty(STDERR_FILENO) != 0;
}

bool LongWork::step(uint64_t done) {
    if (InterruptEndsCommand::is_requested()) {
        return false;
    }
    if (is_terminal_) {
        const Clock::time_point now = Clock::now();
        if (now >= next_show_) {
            show(done, now);
        }
    }
    return true;
}

void LongWork::show(uint64_t done, Clock::time_point now) {
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done) / elapsed;
    const double left = done == 0 ? 0 : static_cast<double>(total_ - done) / rate;
    std::string line = fmt::format("{}: {} of {} ({:.0f}%), {:.0f} s left", what_, amount(done, unit_), amount(total_, unit_),
                                   100.0 * static_cast<double>(done) / static_cast<double>(std::max<uint64_t>(total_, 1)), left);
    line.resize(std::min(line.size(), terminal_width() - 1));
    const size_t shown = line.size();
    // Overwrites the rest of a longer line.
    print_to(stderr, "\r{:<{}}", line, std::max(shown, std::min(shown_, terminal_width() - 1)));
    shown_ = std::max(shown_, shown);
    next_show_ = now + between_shows;
}

bool may_do_in_pieces(const BlockBackend& backend, uint64_t bytes) {
    // Trace events show each piece.
    return bytes > piece_bytes && LongWork::is_watched() && trace_mask.load(std::memory_order_relaxed) == 0 &&
           backend.may_split();
}

Status write_in_pieces(BlockBackend& backend, uint64_t offset, const IoVec& iov, WriteFlags flags, uint64_t& done) {
    return do_in_pieces(backend, "write", offset, iov.bytes(), done, [&](uint64_t begin, uint64_t part, bool more) {
        if (part == iov.bytes()) {
            return backend.execute(Request::write(offset, iov, flags));
        }
        WriteFlags piece_flags = flags;
        piece_flags.more = more;
        return backend.execute(Request::write(offset + begin, iov.slice(begin, part), piece_flags));
    });
}

Status report_in_pieces(BlockBackend& backend, uint64_t offset, uint64_t count, const ZoneVisitor& visit, uint64_t& seen) {
    constexpr uint64_t zones_at_once = 4096;
    // Trace events show each piece.
    const bool by_pieces = InterruptEndsCommand::is_active() && trace_mask.load(std::memory_order_relaxed) == 0;
    seen = 0;
    while (true) {
        const uint64_t wanted = by_pieces ? std::min(count - seen, zones_at_once) : count;
        const Result<uint64_t> got = backend.zone_report(offset, wanted, [&](const ZoneDescriptor& zone) {
            visit(zone);
            offset = zone.start + zone.length;
        });
        if (!got.ok()) {
            return got.status();
        }
        seen += *got;
        if (seen == count || *got < wanted || !by_pieces) {
            return {};
        }
        if (InterruptEndsCommand::is_requested()) {
            return Status::from_errno(EINTR);
        }
    }
}

} // namespace zoneio
