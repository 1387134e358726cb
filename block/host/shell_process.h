// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace zoneio {

/// A shell to start in a process of its own.
struct ShellProcess {
    std::string shell = "/bin/sh"; ///< absolute path
    std::string command;           ///< for `-c`; empty: the shell reads commands itself
    int input = -1;                ///< descriptor that becomes stdin; -1: that of this process
    int output = -1;               ///< descriptor that becomes stdout and stderr; -1: those of this process
    /// Variables to set, NAME=VALUE, besides those of this process.
    std::vector<std::string> variables = {};

    /// Starts it with the signal settings that programs expect. Error: the shell cannot be run.
    Result<pid_t> start() const;
    /// Waits for its end. Returns the status as waitpid(2) does; ECHILD for a process that is not a child.
    static Result<int> wait(pid_t process);
};

} // namespace zoneio
