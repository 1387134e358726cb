// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/shell_command.h"

#include "block/base/file_descriptor.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Starts `shell`, with `-c COMMAND` unless that is empty, and with `input` (or ours, when -1) to read from.
Result<pid_t> spawn_shell(std::string shell, std::string command, int input) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // What main() blocks and ignores is nothing that other programs expect.
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGINT, SIGQUIT}) {
        sigaddset(&defaults, number);
    }
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (input >= 0) {
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    }
    std::string option = "-c";
    char* const words[] = {shell.data(), command.empty() ? nullptr : option.data(), command.data(), nullptr};
    pid_t child = -1;
    const int error = posix_spawn(&child, shell.c_str(), &actions, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return Status::error(error, fmt::format("can't run {}: {}", shell, Status::from_errno(error).message()));
    }
    return child;
}

void wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT && isatty(STDERR_FILENO)) {
        // Behind the ^C that the terminal shows.
        fputs("\n", stderr);
    }
}

} // namespace

Status run_shell_command(const std::string& command) {
    const char* const own = getenv("SHELL");
    const bool use_own = command.empty() && own != nullptr && own[0] == '/';
    fflush(stdout);
    const ForegroundSignals signals;
    const Result<pid_t> child = spawn_shell(use_own ? own : "/bin/sh", command, -1);
    if (!child.ok()) {
        return child.status();
    }
    wait_for(*child);
    return {};
}

OutputPipe::OutputPipe(const std::string& command) : status_(start(command)) {}

Status OutputPipe::start(const std::string& command) {
    int ends[2];
    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return Status::from_errno(errno);
    }
    const FileDescriptor input(ends[0]);
    const FileDescriptor output(ends[1]);
    FileDescriptor own_stdout(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!own_stdout.valid()) {
        return Status::from_errno(errno);
    }
    const Result<pid_t> child = spawn_shell("/bin/sh", command, input.get());
    if (!child.ok()) {
        return child.status();
    }
    child_ = *child;
    stdout_ = std::move(own_stdout);
    dup2(output.get(), STDOUT_FILENO);
    return {};
}

OutputPipe::~OutputPipe() {
    if (child_ < 0) {
        return;
    }
    // Errors are ignored: the reader may have ended.
    fflush(stdout);
    clearerr(stdout);
    dup2(stdout_.get(), STDOUT_FILENO);
    stdout_ = FileDescriptor();
    wait_for(child_);
}

} // namespace zoneio
