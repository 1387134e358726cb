// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <string>
#include <vector>

namespace zoneio {

/// The shell command that looks at the states of a crash, and says by its exit status whether one is bad.
class CheckProgram {
public:
    struct Answer {
        int status = 0;   ///< exit status; 128 and the signal's number where one ended it
        std::string said; ///< the end of what it wrote to stdout and stderr

        bool is_good() const { return status == 0; }
    };

    explicit CheckProgram(std::string command) : command_(std::move(command)) {}

    /// Runs it with these variables (NAME=VALUE) in its environment, and nothing to read. An error is that it could not be run, which the shell says by 126 and 127.
    Result<Answer> run(const std::vector<std::string>& variables);

private:
    std::string take_output();

    std::string command_;
    FileDescriptor output_;  ///< memory, used again and again
    FileDescriptor nothing_; ///< /dev/null
};

} // namespace zoneio
