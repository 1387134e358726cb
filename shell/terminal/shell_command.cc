// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/shell_command.h"

#include "block/base/file_descriptor.h"
#include "block/host/shell_process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {

namespace {

void wait_for(pid_t child) {
    const Result<int> status = ShellProcess::wait(child);
    if (status.ok() && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGINT && isatty(STDERR_FILENO)) {
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
    ShellProcess process{.command = command};
    if (use_own) {
        process.shell = own;
    }
    const pid_t child = TRY(process.start());
    wait_for(child);
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
    const ShellProcess process{.command = command, .input = input.get()};
    child_ = TRY(process.start());
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
