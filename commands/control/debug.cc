// SPDX-License-Identifier: GPL-3.0-or-later
//
// Breakpoints, and commands for tests: sleep, sigraise, abort.
#include "block/base/size.h"
#include "commands/arguments.h"
#include "commands/families.h"
#include "commands/long_work.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>

namespace zoneio {

namespace {

Outcome told(Session& session, std::string_view what, const Status& status) {
    if (status.ok()) {
        return Outcome::ok;
    }
    return session.out().fail(status, "{}: {}\n", what, status.message());
}

/// Changes breakpoints of the open image. ENOTSUP if no driver can stop requests.
template <typename Change>
Status change_breakpoints(Session& session, Change change) {
    Breakpoints* const breakpoints = session.backend().breakpoints();
    return breakpoints != nullptr ? change(*breakpoints) : Status::from_errno(ENOTSUP);
}

Outcome run_break(Session& session, const Command& /*command*/, CommandLine line) {
    return told(session, "Could not set breakpoint", change_breakpoints(session, [&](Breakpoints& breakpoints) {
                    return breakpoints.set_breakpoint(line.argv[1], line.argv[2]);
                }));
}

Outcome run_remove_break(Session& session, const Command& /*command*/, CommandLine line) {
    return told(session, fmt::format("Could not remove breakpoint {}", line.argv[1]),
                change_breakpoints(session, [&](Breakpoints& breakpoints) { return breakpoints.remove_breakpoint(line.argv[1]); }));
}

Outcome run_resume(Session& session, const Command& /*command*/, CommandLine line) {
    return told(session, "Could not resume request",
                change_breakpoints(session, [&](Breakpoints& breakpoints) { return breakpoints.resume(line.argv[1]); }));
}

/// Waits for an event, or for news of exports, which it reports.
void wait_for(Session& session, pollfd event, long milliseconds) {
    pollfd events[] = {event, {session.exports().empty() ? -1 : session.news_fd(), POLLIN, 0}};
    {
        const Turn::Pause pause(session.turn());
        (void)poll(events, std::size(events), static_cast<int>(milliseconds));
    }
    if (events[1].revents != 0) {
        session.tell_news();
    }
}

/// True if a guest may still send the request that the command waits for.
bool wait_for_guest(Session& session) {
    constexpr long longest_wait_ms = 100;
    if (session.exports().empty()) {
        return false;
    }
    wait_for(session, {-1, 0, 0}, longest_wait_ms);
    return true;
}

Outcome run_wait_break(Session& session, const Command& /*command*/, CommandLine line) {
    // While requests can continue, one of them may still reach the breakpoint.
    const Breakpoints* const breakpoints = session.backend().breakpoints();
    while (breakpoints == nullptr || !breakpoints->is_suspended(line.argv[1])) {
        if (!session.backend().step() && !wait_for_guest(session)) {
            return session.out().complain("Could not wait for breakpoint {}: no request {}\n", line.argv[1],
                                   session.backend().in_flight() == 0 ? "is under way" : "that is not held is under way");
        }
        session.aio().report_done(session.backend());
        if (InterruptEndsCommand::is_requested()) {
            return session.out().interrupted("wait_break interrupted");
        }
    }
    return Outcome::ok;
}

/// Waits, and reports asynchronous requests that end meanwhile. False: interrupted.
bool sleep_for(Session& session, long milliseconds) {
    // An interrupt just before poll(2) does not end it, and is noticed after this time.
    const long longest_wait_ms = InterruptEndsCommand::is_active() ? 100 : INT32_MAX;
    using Clock = std::chrono::steady_clock;
    constexpr long longest = 1000L * 3600 * 24 * 365 * 100; // the longest wait that the clock can represent
    const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(std::min(milliseconds, longest));
    for (Clock::time_point now = Clock::now(); now < deadline; now = Clock::now()) {
        const bool busy = session.is_open() && !session.aio().empty();
        pollfd event{busy ? session.backend().event_fd() : -1, POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
        wait_for(session, event, std::min<long>(left, longest_wait_ms));
        if (InterruptEndsCommand::is_requested()) {
            return false;
        }
        if (busy) {
            session.aio().report_finished(session.backend());
        }
    }
    return true;
}

Outcome run_sleep(Session& session, const Command& /*command*/, CommandLine line) {
    long milliseconds = 0;
    if (parse_long(line.argv[1], milliseconds) != ParseError::none || milliseconds < 0) {
        return session.out().complain("{} is not a valid number\n", line.argv[1]);
    }
    if (!sleep_for(session, milliseconds)) {
        return session.out().interrupted("sleep interrupted");
    }
    return Outcome::ok;
}

Outcome run_sigraise(Session& session, const Command& /*command*/, CommandLine line) {
    const std::optional<int64_t> signal = parse_size_argument(session, line.argv[1]);
    if (!signal) {
        return Outcome::failed;
    }
    if (*signal > NSIG) {
        return session.out().complain("signal argument '{}' is too large to be a valid signal\n", line.argv[1]);
    }
    // Earlier output must appear, even if the signal ends the program.
    session.out().flush();
    if (*signal == SIGXFSZ) {
        // SIGXFSZ is ignored only for the sake of requests.
        (void)std::signal(SIGXFSZ, SIG_DFL);
    }
    (void)raise(static_cast<int>(*signal));
    return Outcome::ok;
}

Outcome run_abort(Session& /*session*/, const Command& /*command*/, CommandLine /*line*/) {
    // Some tools replace abort(3) by a version that flushes stdout, which a crash does not do.
    signal(SIGABRT, SIG_DFL);
    (void)raise(SIGABRT);
    abort();
}

} // namespace

constexpr Command debug_commands[] = {
    {.name = "abort", .run = run_abort,
     .oneline = "end the program like a crash, by abort(3)"},
    {.name = "break", .run = run_break,
     .argmin = 2, .argmax = 2, .needs_image = true,
     .args = "event tag",
     .oneline = "hold the next request that reaches an event",
     .help =
         "Holds the next request that reaches event, once, under the name tag. Requires the driver blkdebug.\n"
         "\n"
         "Example: break pwritev_done A\n",
     .words = {Word::debug_event, Word::other}},
    {.name = "remove_break", .run = run_remove_break,
     .argmin = 1, .argmax = 1, .needs_image = true,
     .args = "tag",
     .oneline = "remove a breakpoint",
     .help = "Removes all breakpoints named tag and resumes the requests that they hold.\n"
         "\n"
         "Example: remove_break A\n",
     .words = {Word::break_tag}},
    {.name = "resume", .run = run_resume,
     .argmin = 1, .argmax = 1, .needs_image = true,
     .args = "tag",
     .oneline = "resume a held request",
     .help = "Resumes the newest request that is held under the name tag.\n"
         "\n"
         "Example: resume A\n",
     .words = {Word::held_tag}},
    {.name = "sigraise", .run = run_sigraise,
     .argmin = 1, .argmax = 1,
     .args = "signal",
     .oneline = "raise a signal in the program",
     .help =
         "Raises the signal with this number in zoneio itself, by raise(3).\n"
         "\n"
         "Example: sigraise 9    end the program without any clean-up\n"},
    {.name = "sleep", .run = run_sleep,
     .argmin = 1, .argmax = 1,
     .oneline = "wait for some milliseconds",
     .help =
         "Takes the number of milliseconds. Reports asynchronous requests that end meanwhile.\n"
         "\n"
         "Example: sleep 500\n"},
    {.name = "wait_break", .run = run_wait_break,
     .argmin = 1, .argmax = 1, .needs_image = true,
     .args = "tag",
     .oneline = "wait until a request is held",
     .help = "Waits until a request is held under the name tag. Fails if no request in flight can reach the breakpoint.\n"
         "\n"
         "Example: wait_break A\n",
     .words = {Word::break_tag}},
};

} // namespace zoneio
