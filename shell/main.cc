// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/options.h"
#include "shell/prompt.h"

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace zoneio {

namespace {

std::string base_name(const char* path) {
    const char* const slash = strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

/// Opens what the command line names.
bool open_operand(Session& session, ProcessOptions& options) {
    if (!options.file) {
        return true;
    }
    if (options.image_opts) {
        if (!add_option_string(session, *options.file, IdOption::allowed, options.open.options)) {
            return false;
        }
    } else {
        options.open.filename = std::move(options.file);
    }
    return open_image(session, std::move(options.open)) == Outcome::ok;
}

bool run_commands(Session& session, std::vector<std::string>& commands) {
    bool all_ok = true;
    for (std::string& command : commands) {
        const Outcome outcome = run_line(session, command.data());
        if (outcome == Outcome::quit) {
            break;
        }
        all_ok = all_ok && outcome == Outcome::ok;
    }
    return all_ok;
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
    if (!open_operand(session, options)) {
        return EXIT_FAILURE;
    }
    const bool all_ok = options.commands.empty() ? run_prompt(session) : run_commands(session, options.commands);
    session.close();
    return all_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

} // namespace zoneio

int main(int argc, char** argv) {
    // A reader that goes away shows as an error of the write, not as the end of the program.
    signal(SIGPIPE, SIG_IGN);
    // Scripts of qemu-io's users raise these, and go on.
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int number : {SIGUSR1, SIGBUS, SIGALRM, SIGIO}) {
        sigaddset(&blocked, number);
    }
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    return zoneio::run(argc, argv);
}
