// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <functional>
#include <string_view>

namespace zoneio {

/// While it lives, what the process writes to stdout and stderr is kept in memory, in order.
class OutputCapture {
public:
    OutputCapture();
    ~OutputCapture();
    OutputCapture(const OutputCapture&) = delete;
    OutputCapture& operator=(const OutputCapture&) = delete;

    /// Why nothing is kept.
    const Status& status() const { return status_; }
    /// Lets stdout and stderr be what they were, and calls `visit` for each line of what was kept, without its newline,
    /// until it returns false. What is written meanwhile is not kept.
    void finish(const std::function<bool(std::string_view line)>& visit);

private:
    void restore();

    FileDescriptor file_;
    FileDescriptor stdout_;
    FileDescriptor stderr_;
    Status status_;
};

} // namespace zoneio
