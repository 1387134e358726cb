// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <functional>
#include <string_view>

namespace zoneio {

/// While it exists, output of the process to stdout and stderr is captured in memory, in order.
class OutputCapture {
public:
    OutputCapture();
    ~OutputCapture();
    OutputCapture(const OutputCapture&) = delete;
    OutputCapture& operator=(const OutputCapture&) = delete;

    /// Why nothing is captured.
    const Status& status() const { return status_; }
    /// Restores stdout and stderr, and calls `visit` for each captured line, without its newline, until it returns
    /// false. Output of `visit` is not captured.
    void finish(const std::function<bool(std::string_view line)>& visit);

private:
    void restore();

    FileDescriptor file_;
    FileDescriptor stdout_;
    FileDescriptor stderr_;
    Status status_;
};

} // namespace zoneio
