// SPDX-License-Identifier: GPL-3.0-or-later
//
// `!COMMAND` and `... | COMMAND` at the prompt, which run a shell.
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <csignal>
#include <string>
#include <sys/types.h>

namespace zoneio {

/// Runs a command by sh(1) on the terminal and waits for its end. An empty command starts the user's own shell
/// ($SHELL).
Status run_shell_command(const std::string& command);

/// While it exists, the keys that interrupt a program affect only the shell command.
class ForegroundSignals {
public:
    ForegroundSignals() {
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGINT, &ignore, &interrupt_);
        sigaction(SIGQUIT, &ignore, &quit_);
    }
    ~ForegroundSignals() {
        sigaction(SIGINT, &interrupt_, nullptr);
        sigaction(SIGQUIT, &quit_, nullptr);
    }
    ForegroundSignals(const ForegroundSignals&) = delete;
    ForegroundSignals& operator=(const ForegroundSignals&) = delete;

private:
    struct sigaction interrupt_{};
    struct sigaction quit_{};
};

/// While it exists, stdout is the input of a shell command. The destructor waits for the command's end.
class OutputPipe {
public:
    explicit OutputPipe(const std::string& command);
    ~OutputPipe();
    OutputPipe(const OutputPipe&) = delete;
    OutputPipe& operator=(const OutputPipe&) = delete;

    /// Why the command was not started; stdout is then unchanged.
    const Status& status() const { return status_; }

private:
    Status start(const std::string& command);

    ForegroundSignals signals_;
    pid_t child_ = -1;
    FileDescriptor stdout_; ///< the original stdout
    Status status_;   ///< last member, because start() sets the others
};

} // namespace zoneio
