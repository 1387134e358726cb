// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands one after the other: a sequence of them from wherever, and those of a file.
#pragma once

#include "commands/dispatch.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// Runs commands one after the other and knows when to stop: at `quit`, and with errexit after a failure.
class CommandSequence {
public:
    explicit CommandSequence(Session& session) : session_(session), failures_before_(session.failed_commands) {}

    /// Runs a line, which is modified. False: no more are to be run.
    bool run(char* line) { return take(run_line(session_, line)); }
    /// Takes note of how a command ended. False: no more are to be run.
    bool take(Outcome outcome);

    /// How all of them ended: `failed` when any did, `quit` when the program is to end.
    Outcome outcome() const;

private:
    Session& session_;
    uint64_t failures_before_;
    bool quit_ = false;
};

/// Runs the commands in a file, one a line, as `source` does. A word that begins with # begins a comment.
///
/// Each command that fails is named with file and line, on stderr. Files that are being run already, and more than
/// 16 inside each other, are refused.
Outcome run_script(Session& session, std::string name);

} // namespace zoneio
