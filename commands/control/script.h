// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs sequences of commands, from any source and from files.
#pragma once

#include "commands/dispatch.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// Runs commands one after the other. Stops at `quit`, and with errexit after a failure.
class CommandSequence {
public:
    explicit CommandSequence(Session& session) : session_(session), failures_before_(session.failed_commands) {}

    /// Runs a line and modifies it. False: stop.
    bool run(char* line) { return take(run_line(session_, line)); }
    /// Records the outcome of a command. False: stop.
    bool take(Outcome outcome);

    /// The outcome of the sequence: `quit` if the program is to end, `failed` if any command failed.
    Outcome outcome() const;

private:
    Session& session_;
    uint64_t failures_before_;
    bool quit_ = false;
};

/// Runs the commands in a file, one per line, as `source` does. A word that starts with # starts a comment.
///
/// Reports the file and line of each failed command on stderr. Refuses files that are running already, and more than 16
/// nested scripts.
Outcome run_script(Session& session, std::string name);

} // namespace zoneio
