// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <string>

namespace zoneio {

/// Lines typed at the prompt, stored in $XDG_STATE_HOME/zoneio/history: the last 10,000 different ones. Sessions that
/// run at the same time all append to it.
///
/// Only its owner may read the file. If the folder belongs to another user, as HOME does with some kinds of sudo,
/// nothing is written, and the history ends with the session.
class History {
public:
    History();
    /// Adds a line, unless it is empty, starts with a space, equals the one before or is longer than 4 KiB.
    void add(const std::string& line);

private:
    FileDescriptor file_;
    std::string last_;
};

} // namespace zoneio
