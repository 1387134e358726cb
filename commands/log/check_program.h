// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>
#include <vector>

namespace zoneio {

/// The shell command that checks the states of a crash. Its exit status tells whether a state is bad.
class CheckProgram {
public:
    struct Answer {
        int status = 0;   ///< exit status; 128 plus the number of the signal that ended it
        std::string said; ///< end of its output to stdout and stderr

        bool is_good() const { return status == 0; }
    };

    explicit CheckProgram(std::string command) : command_(std::move(command)) {}

    /// Runs the command with these variables (NAME=VALUE) in its environment and an empty stdin. Fails if it cannot be
    /// run, which the shell reports by the exit statuses 126 and 127.
    Result<Answer> run(const std::vector<std::string>& variables);

private:
    std::string take_output();

    std::string command_;
    FileDescriptor output_;  ///< memory file, reused
    FileDescriptor nothing_; ///< /dev/null
};

} // namespace zoneio
