// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/prompt.h"

#include "block/log/scratch_signals.h"
#include "commands/command_table.h"
#include "commands/control/script.h"
#include "commands/export/signals.h"
#include "commands/long_work.h"
#include "commands/text/nearest.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"
#include "commands/text/terminal.h"
#include "commands/text/wrapping.h"
#include "commands/why/why.h"
#include "shell/terminal/completion.h"
#include "shell/terminal/hint.h"
#include "shell/terminal/history.h"
#include "shell/terminal/readline.h"
#include "shell/terminal/shell_command.h"
#include "shell/terminal/start_up.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace zoneio {

namespace {

volatile sig_atomic_t interrupted = 0;
volatile sig_atomic_t resized = 0;
volatile sig_atomic_t continued = 0;

/// Result of Readline's callback, which has no parameter for an object. It is read right after the call.
struct FinishedLine {
    bool there = false;
    std::optional<std::string> text; ///< empty at the end of the input
};
FinishedLine finished_line;

/// In bytes. Readline's time per character grows with the length of the line.
constexpr int longest_typed_line = 64 << 10;
/// The line was too long, and its end was dropped.
bool is_cut_off = false;

int read_key(FILE* input) {
    const auto is_text = [](int key) { return key >= ' ' && key != '\x7f'; };
    int key = readline().rl_getc(input);
    while (*readline().rl_end >= longest_typed_line && is_text(key)) {
        is_cut_off = true;
        pollfd more{STDIN_FILENO, POLLIN, 0};
        if (poll(&more, 1, 0) <= 0) {
            return '\0'; // Ctrl-@ has no visible effect
        }
        key = readline().rl_getc(input);
    }
    return key;
}

void on_line(char* line) {
    readline().rl_callback_handler_remove();
    finished_line.there = true;
    finished_line.text = line != nullptr ? std::optional<std::string>(line) : std::nullopt;
    free(line);
}

/// While it exists, an interrupt has no effect: no line is edited and no command runs.
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

/// While it exists, an interrupt clears the line being edited; otherwise it ends the program. Interrupts, changes of
/// the window size and returns from the background arrive only while the signal mask of waiting() is set, so that none
/// is lost between a check and the wait.
class EditingSignals {
public:
    EditingSignals() {
        sigset_t blocked;
        sigemptyset(&blocked);
        for (size_t i = 0; i < std::size(handled); i++) {
            struct sigaction action{};
            action.sa_handler = handled[i].handler;
            sigaction(handled[i].number, &action, &before_[i]);
            sigaddset(&blocked, handled[i].number);
        }
        sigprocmask(SIG_BLOCK, &blocked, &mask_);
    }
    ~EditingSignals() {
        for (size_t i = 0; i < std::size(handled); i++) {
            sigaction(handled[i].number, &before_[i], nullptr);
        }
        sigprocmask(SIG_SETMASK, &mask_, nullptr);
    }
    const sigset_t* waiting() const { return &mask_; }
    EditingSignals(const EditingSignals&) = delete;
    EditingSignals& operator=(const EditingSignals&) = delete;

private:
    struct Handled {
        int number;
        void (*handler)(int);
    };
    static constexpr Handled handled[] = {{SIGINT, [](int) { interrupted = 1; }},
                                          {SIGWINCH, [](int) { resized = 1; }},
                                          {SIGCONT, [](int) { continued = 1; }}};
    struct sigaction before_[std::size(handled)]{};
    sigset_t mask_{};
};

/// Restores the terminal's mode at exit. Line editing leaves the terminal without echo while commands run, so that
/// typed or pasted input does not appear between results. A signal that ends the program restores the mode, too.
class TerminalMode {
public:
    TerminalMode() {
        known = tcgetattr(STDIN_FILENO, &before) == 0;
        *readline().rl_deprep_term_function = [] {};
        for (const int number : {SIGQUIT, SIGTERM, SIGHUP}) {
            struct sigaction now{};
            if (sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
                now.sa_handler = give_back_and_die;
                sigaction(number, &now, nullptr);
            }
        }
    }
    ~TerminalMode() { give_back(); }
    TerminalMode(const TerminalMode&) = delete;
    TerminalMode& operator=(const TerminalMode&) = delete;

    /// Restores the mode. The next line takes the terminal again.
    static void give_back() { readline().rl_deprep_terminal(); }

    /// For signal handlers: restores the mode and ends the program by the signal.
    static void give_back_and_die(int number) {
        const int error = errno;
        if (known) {
            tcsetattr(STDIN_FILENO, TCSANOW, &before);
        }
        remove_for_signal();
        signal(number, SIG_DFL);
        raise(number);
        errno = error;
    }

private:
    static inline termios before{};
    static inline bool known = false;
};

std::string_view first_word(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return line.substr(0, line.find(' '));
}

/// Position of a `|` that starts a word; npos if there is none.
size_t find_pipe(std::string_view line) {
    return line.starts_with('|') ? 0 : line.find(" |");
}

class TerminalPrompt {
public:
    explicit TerminalPrompt(Session& session) : session_(session), sequence_(session), prompt_(session.out().program() + "> ") {
        *readline().rl_readline_name = "zoneio";
        *readline().rl_catch_signals = 0;
        *readline().rl_getc_function = read_key;
        *readline().rl_outstream = session.out().is_json() ? stderr : stdout;
        *readline().rl_catch_sigwinch = 0;
        // LINES and COLUMNS are not set: other programs query the terminal themselves.
        *readline().rl_change_environment = 0;
        // By default, pasted lines run like typed ones; the user's inputrc may change that.
        readline().rl_variable_bind("enable-bracketed-paste", "off");
        install_completion(session);
        readline().rl_initialize();
        LineHint::install(prompt_);
    }

    void run(bool starts_up) {
        const InterruptIsHarmless guard;
        if (starts_up && !start_prompt(session_, sequence_)) {
            return;
        }
        while (const std::optional<std::string> text = read_line()) {
            if (std::exchange(is_cut_off, false)) {
                const std::string what = fmt::format("the line is longer than {} bytes: it was not run", longest_typed_line);
                if (!failed(Status::error(E2BIG, what))) {
                    return;
                }
                continue;
            }
            // A bracketed paste may contain several lines.
            for (size_t begin = 0; begin <= text->size();) {
                const size_t end = std::min(text->find('\n', begin), text->size());
                if (!run_typed(text->substr(begin, end - begin))) {
                    return;
                }
                begin = end + 1;
            }
        }
    }

private:
    /// Shows, dimly, why a zone refused a request, below the output of the command.
    void show_hint(uint64_t failed_before) {
        if (session_.failures().count() == failed_before || session_.out().is_json()) {
            return;
        }
        if (const std::optional<std::string> hint = isatty(STDOUT_FILENO) ? failure_hint(session_) : std::nullopt) {
            const std::string text = wrapped(for_terminal(STDOUT_FILENO, *hint), line_columns(STDOUT_FILENO), 4);
            session_.out().print("{}\n", dimmed(STDOUT_FILENO, text));
        }
    }

    /// Runs a line with the features of a terminal: `!`, `|`, and help for misspelt commands. False: the session ends.
    bool run_typed(std::string line) {
        history_.add(line);
        const std::string_view name = first_word(line);
        if (name.starts_with('!')) {
            TerminalMode::give_back();
            const Status status = run_shell_command(line.substr(line.find('!') + 1));
            return status.ok() || failed(status);
        }
        const size_t pipe = find_pipe(line);
        if (pipe != std::string::npos) {
            return run_piped(line.substr(0, pipe), line.substr(line.find('|', pipe) + 1));
        }
        const std::string word(name);
        const bool goes_on = run_command(line);
        session_.out().flush();
        if (!word.empty() && find_command(word) == nullptr) {
            suggest(word);
        }
        return goes_on;
    }

    bool run_command(std::string& line) {
        const uint64_t failed_before = session_.failures().count();
        bool goes_on = false;
        {
            const InterruptEndsCommand guard(TerminalMode::give_back_and_die);
            goes_on = sequence_.run(line.data());
        }
        show_hint(failed_before);
        return goes_on;
    }

    bool run_piped(std::string line, const std::string& command) {
        if (first_word(line).empty() || first_word(command).empty()) {
            return failed(Status::invalid("a '|' needs a command on both sides: zone_report 0 100 | grep zcond:2"));
        }
        TerminalMode::give_back();
        const OutputPipe pipe(command);
        const bool goes_on = pipe.status().ok() ? run_command(line) : failed(pipe.status());
        session_.out().forget_lost_output();
        return goes_on;
    }

    bool failed(const Status& status) {
        session_.out().error(status.message());
        return sequence_.take(Outcome::failed);
    }

    static void suggest(std::string_view word) {
        const std::string nearest = nearest_text(word, command_names());
        if (!nearest.empty() && isatty(STDERR_FILENO)) {
            print_to(stderr, "Did you mean {}?\n", nearest);
        }
    }

    /// Edits a line. Results of asynchronous requests appear above it when they arrive.
    std::optional<std::string> read_line() {
        session_.kick();
        const EditingSignals signals;
        finished_line = {};
        readline().rl_reset_screen_size();
        readline().rl_callback_handler_install(prompt_.c_str(), on_line);
        while (!finished_line.there) {
            wait_and_handle(signals.waiting());
        }
        if (!finished_line.text) {
            fputs("\n", *readline().rl_outstream);
        }
        return std::move(finished_line.text);
    }

    /// Readable when an asynchronous request has finished; -1 when there is none.
    int completion_fd() {
        const Turn::Hold hold(session_.turn());
        const bool busy = session_.is_open() && session_.backend().in_flight() > 0;
        return busy ? session_.backend().event_fd() : -1;
    }

    void wait_and_handle(const sigset_t* mask) {
        pollfd events[] = {{STDIN_FILENO, POLLIN, 0},
                           {completion_fd(), POLLIN, 0},
                           {session_.exports().empty() ? -1 : session_.news_fd(), POLLIN, 0},
                           {termination_fd(), POLLIN, 0}};
        const int ready = ppoll(events, std::size(events), nullptr, mask);
        if (is_termination_wanted()) {
            LineHint::erase();
            on_line(nullptr);
            return;
        }
        if (ready < 0) {
            handle_signals();
            return;
        }
        if (events[1].revents != 0 || events[2].revents != 0) {
            report_above_line();
        }
        if (events[0].revents != 0) {
            LineHint::erase();
            readline().rl_callback_read_char();
        }
    }

    static void handle_signals() {
        LineHint::erase();
        if (continued != 0) {
            continued = 0;
            // Another program had the terminal.
            readline().rl_deprep_terminal();
            readline().rl_prep_terminal(1);
            readline().rl_forced_update_display();
        }
        if (resized != 0) {
            resized = 0;
            // With another redisplay function, Readline would not clear the old line.
            rl_voidfunc_t* const redisplay = std::exchange(*readline().rl_redisplay_function, readline().rl_redisplay);
            readline().rl_resize_terminal();
            *readline().rl_redisplay_function = redisplay;
            (**readline().rl_redisplay_function)();
        }
        if (interrupted != 0) {
            interrupted = 0;
            clear_line();
        }
    }

    static void clear_line() {
        is_cut_off = false;
        fputs("^C\n", *readline().rl_outstream);
        readline().rl_free_line_state();
        // A search that ends here would show the prompt on its own.
        rl_voidfunc_t* const redisplay = std::exchange(*readline().rl_redisplay_function, [] {});
        readline().rl_callback_sigcleanup();
        *readline().rl_redisplay_function = redisplay;
        readline().rl_replace_line("", 0);
        readline().rl_on_new_line();
        readline().rl_redisplay();
    }

    void report_above_line() {
        LineHint::erase();
        readline().rl_clear_visible_line();
        fflush(*readline().rl_outstream);
        session_.tell_news();
        session_.out().flush();
        readline().rl_on_new_line();
        (**readline().rl_redisplay_function)();
    }

    TerminalMode mode_;
    Session& session_;
    CommandSequence sequence_;
    std::string prompt_;
    History history_;
};

} // namespace

void run_terminal_prompt(Session& session, bool starts_up) {
    TerminalPrompt(session).run(starts_up);
}

} // namespace zoneio
