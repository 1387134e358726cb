// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// A shell to run as a child process.
struct ShellProcess {
    std::string shell = "/bin/sh"; ///< absolute path
    std::string command;           ///< for `-c`; empty: the shell reads commands itself
    int input = -1;                ///< descriptor that becomes stdin; -1: that of this process
    int output = -1;               ///< descriptor that becomes stdout and stderr; -1: those of this process
    /// Variables to set, NAME=VALUE, besides those of this process.
    std::vector<std::string> variables = {};

    /// Starts the process with default signal settings. Error: the shell cannot be run.
    Result<pid_t> start() const;
    /// Waits for the process. Returns the status of waitpid(2); ECHILD if it is not a child of this process.
    static Result<int> wait(pid_t process);
};

} // namespace zoneio
