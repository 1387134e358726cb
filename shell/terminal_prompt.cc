// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/long_work.h"
#include "commands/script.h"
#include "commands/terminal.h"
#include "commands/why.h"
#include "shell/completion.h"
#include "shell/history.h"
#include "shell/prompt.h"
#include "shell/readline.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace zoneio {

namespace {

volatile sig_atomic_t interrupted = 0;

/// Readline's callback has no room for an object: what it leaves is picked up right after the call.
struct FinishedLine {
    bool there = false;
    std::optional<std::string> text; ///< nothing at the end of the input
};
FinishedLine finished_line;

void on_line(char* line) {
    readline().rl_callback_handler_remove();
    finished_line.there = true;
    finished_line.text = line != nullptr ? std::optional<std::string>(line) : std::nullopt;
    free(line);
}

/// While it lives an interrupt ends nothing, where neither a line is edited nor a command runs.
class InterruptIsHarmless {
public:
    InterruptIsHarmless() {
        struct sigaction action{};
        action.sa_handler = [](int) {};
        sigaction(SIGINT, &action, &before_);
    }
    ~InterruptIsHarmless() { sigaction(SIGINT, &before_, nullptr); }
    InterruptIsHarmless(const InterruptIsHarmless&) = delete;
    InterruptIsHarmless& operator=(const InterruptIsHarmless&) = delete;

private:
    struct sigaction before_{};
};

/// While it lives an interrupt clears the line being edited; otherwise it ends the program. It comes in only where
/// the mask of waiting() is in force, so that none is missed between a look and the wait.
class InterruptClearsLine {
public:
    InterruptClearsLine() {
        struct sigaction action{};
        action.sa_handler = [](int) { interrupted = 1; };
        sigaction(SIGINT, &action, &before_);
        sigset_t blocked;
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGINT);
        sigprocmask(SIG_BLOCK, &blocked, &mask_);
    }
    ~InterruptClearsLine() {
        sigaction(SIGINT, &before_, nullptr);
        sigprocmask(SIG_SETMASK, &mask_, nullptr);
    }
    const sigset_t* waiting() const { return &mask_; }
    InterruptClearsLine(const InterruptClearsLine&) = delete;
    InterruptClearsLine& operator=(const InterruptClearsLine&) = delete;

private:
    struct sigaction before_{};
    sigset_t mask_{};
};

class TerminalPrompt {
public:
    explicit TerminalPrompt(Session& session) : session_(session), prompt_(session.out().program() + "> ") {
        *readline().rl_readline_name = "zoneio";
        *readline().rl_catch_signals = 0;
        *readline().rl_outstream = session.out().is_json() ? stderr : stdout;
        install_completion();
    }

    void run() {
        const InterruptIsHarmless guard;
        CommandSequence sequence(session_);
        bool goes_on = true;
        while (goes_on) {
            std::optional<std::string> line = read_line();
            if (!line) {
                return;
            }
            history_.add(*line);
            const uint64_t failed_before = session_.failures().count();
            {
                const InterruptEndsCommand guard;
                goes_on = sequence.run(line->data());
            }
            show_hint(failed_before);
            session_.out().flush();
        }
    }

private:
    /// Why a zone refused what was asked, dim below what the command said.
    void show_hint(uint64_t failed_before) {
        if (session_.failures().count() == failed_before || session_.out().is_json()) {
            return;
        }
        if (const std::optional<std::string> hint = isatty(STDOUT_FILENO) ? failure_hint(session_) : std::nullopt) {
            const bool dim = may_colour(STDOUT_FILENO);
            session_.out().print("{}{}{}\n", dim ? "\033[2m" : "", *hint, dim ? "\033[0m" : "");
        }
    }

    /// Edits one line; results of asynchronous requests appear above it as they come.
    std::optional<std::string> read_line() {
        session_.kick();
        const InterruptClearsLine guard;
        finished_line = {};
        readline().rl_callback_handler_install(prompt_.c_str(), on_line);
        while (!finished_line.there) {
            wait_and_handle(guard.waiting());
        }
        if (!finished_line.text) {
            fputs("\n", *readline().rl_outstream);
        }
        return std::move(finished_line.text);
    }

    void wait_and_handle(const sigset_t* mask) {
        const bool busy = session_.is_open() && session_.backend().in_flight() > 0;
        pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {busy ? session_.backend().event_fd() : -1, POLLIN, 0}};
        const int ready = ppoll(events, 2, nullptr, mask);
        if (interrupted != 0) {
            interrupted = 0;
            clear_line();
        } else if (ready > 0) {
            if (events[1].revents != 0) {
                report_above_line();
            }
            if (events[0].revents != 0) {
                readline().rl_callback_read_char();
            }
        }
    }

    static void clear_line() {
        fputs("^C\n", *readline().rl_outstream);
        readline().rl_free_line_state();
        readline().rl_callback_sigcleanup();
        readline().rl_replace_line("", 0);
        readline().rl_on_new_line();
        readline().rl_redisplay();
    }

    void report_above_line() {
        readline().rl_clear_visible_line();
        fflush(*readline().rl_outstream);
        session_.aio().report_finished(session_.backend());
        session_.out().flush();
        readline().rl_on_new_line();
        readline().rl_redisplay();
    }

    Session& session_;
    std::string prompt_;
    History history_;
};

} // namespace

void run_terminal_prompt(Session& session) {
    TerminalPrompt(session).run();
}

} // namespace zoneio
