// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

namespace zoneio {

/// The lines typed at the prompt, kept in $XDG_STATE_HOME/zoneio/history from one session to the next.
///
/// A folder or file of another user is left alone: then the history lasts as long as the session.
class History {
public:
    History();
    /// Remembers a line, unless it is empty or repeats the one before.
    void add(const std::string& line);

private:
    std::optional<std::string> path_;
    std::string last_;
};

} // namespace zoneio
