// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <string>

namespace zoneio {

/// The lines typed at the prompt, kept in $XDG_STATE_HOME/zoneio/history from one session to the next: the last
/// 10,000, each once. Sessions that run at the same time all add to it.
///
/// Only its owner may read the file. Nothing is made or written in a folder of another user, as HOME is under some
/// sudo: then the history lasts as long as the session.
class History {
public:
    History();
    /// Remembers a line, unless it is empty, begins with a space, repeats the one before or is longer than 4 KiB.
    void add(const std::string& line);

private:
    FileDescriptor file_;
    std::string last_;
};

} // namespace zoneio
