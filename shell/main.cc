// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/open.h"
#include "commands/control/script.h"
#include "commands/export/signals.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"
#include "commands/text/terminal.h"
#include "commands/why/why.h"
#include "shell/options/options.h"
#include "shell/prompt.h"
#include "shell/terminal/confirm.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <unistd.h>

namespace zoneio {

namespace {

std::string base_name(const char* path) {
    const char* const slash = strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

Outcome open_named(Session& session, ProcessOptions& options) {
    if (options.image_opts) {
        if (!add_option_string(session, *options.file, IdOption::allowed, options.open.options)) {
            return Outcome::failed;
        }
    } else {
        options.open.filename = std::move(options.file);
    }
    return open_image(session, std::move(options.open));
}

/// At a terminal, explains why the image could not be opened, because there will be no prompt at which to ask `why`.
void explain_failed_open(Session& session) {
    const Failure* const failure = session.failures().last();
    if (session.guard != Guard::ask || session.out().is_json() || failure == nullptr || failure->status.code() == ECANCELED) {
        return;
    }
    Evidence evidence(session, *failure);
    const Explanation explanation = explain(evidence);
    for (const std::string& line : explanation_lines(explanation, STDERR_FILENO)) {
        print_to(stderr, "{}\n", dimmed(STDERR_FILENO, line));
    }
}

/// Opens the image on the command line.
bool open_operand(Session& session, ProcessOptions& options) {
    if (!options.file) {
        return true;
    }
    std::string name = *options.file;
    char word[] = "open";
    char* words[] = {word, name.data()};
    session.out().begin_command(word, words, {}, 0);
    const bool is_open = open_named(session, options) == Outcome::ok;
    if (!is_open) {
        session.failures().finish(nullptr, std::nullopt);
    }
    session.out().end_command(is_open);
    if (!is_open) {
        explain_failed_open(session);
    }
    return is_open;
}

/// The guard asks only if there is a terminal for the answer.
Guard guard_for(const ProcessOptions& options) {
    const bool is_prompt = options.commands.empty() && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    return is_prompt && options.guard != Guard::refuse ? Guard::ask : options.guard.value_or(Guard::off);
}

/// True if the user declined at the prompt to open the image for writing. Then the prompt starts without an image.
bool was_declined(Session& session) {
    const Failure* const failure = session.failures().last();
    return session.guard == Guard::ask && failure != nullptr && failure->status.cause() == Cause::write_declined;
}

void run_batch(Session& session, std::vector<ProcessOptions::Batch>& batch) {
    CommandSequence sequence(session);
    for (ProcessOptions::Batch& item : batch) {
        const bool goes_on = item.is_file ? sequence.take(run_script(session, item.text)) : sequence.run(item.text.data());
        if (!goes_on) {
            return;
        }
    }
}

int run(int argc, char** argv) {
    const std::string program = base_name(argc > 0 ? argv[0] : "zoneio");
    ProcessOptions options;
    if (const std::optional<int> status = parse_process_options(argc, argv, program, options)) {
        return *status;
    }
    Session session(program);
    session.image_opts = options.image_opts;
    session.misalign = options.misalign;
    session.errexit = options.errexit;
    session.guard = guard_for(options);
    session.ask = ask;
    if (options.json) {
        session.out().use_json();
    }
    session.out().set_deterministic(options.deterministic);
    if (options.deterministic) {
        use_fixed_names();
    }
    session.out().set_explainer([&session, prints = options.explain](JsonRecord* record) { explain_failed_command(session, record, prints); });
    if (!open_operand(session, options)) {
        if (!was_declined(session)) {
            return EXIT_FAILURE;
        }
        session.failed_commands++;
    }
    options.commands.empty() ? run_prompt(session, !options.no_rc) : run_batch(session, options.commands);
    session.close();
    terminate_if_wanted();
    if (const int error = session.out().lost_output()) {
        print_lost_output(program, error);
        return EXIT_FAILURE;
    }
    const bool aio_failed = session.errexit && session.aio().failures() > 0;
    return session.failed_commands == 0 && !aio_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/// Opens /dev/null for closed standard streams. Otherwise the image would get such a number, and output would be
/// written to it.
bool occupy_standard_descriptors() {
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The wrong access mode makes writes to stdout fail, as they do when it is closed.
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0) {
            return false;
        }
    }
    return true;
}

} // namespace

} // namespace zoneio

int main(int argc, char** argv) {
    if (!zoneio::occupy_standard_descriptors()) {
        return EXIT_FAILURE;
    }
    // A reader that goes away shall cause a write error and not end the program.
    signal(SIGPIPE, SIG_IGN);
    // The same for a write beyond `ulimit -f`.
    signal(SIGXFSZ, SIG_IGN);
    // Scripts for qemu-io raise these signals and continue.
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int number : {SIGUSR1, SIGBUS, SIGALRM, SIGIO}) {
        sigaddset(&blocked, number);
    }
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    try {
        return zoneio::run(argc, argv);
    } catch (const std::bad_alloc&) {
        fprintf(stderr, "%s: Cannot allocate memory\n", argc > 0 ? zoneio::base_name(argv[0]).c_str() : "zoneio");
        return EXIT_FAILURE;
    }
}
