// SPDX-License-Identifier: GPL-3.0-or-later
//
// `export -w` waits until its export ends, by the user or by itself.
#pragma once

#include "commands/command.h"

#include <array>
#include <csignal>

namespace zoneio {

/// While it exists, SIGINT and SIGTERM end wait_for_end() instead of the program, also if they come before it.
class EndSignals {
public:
    EndSignals();
    ~EndSignals();
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable after a signal.
    int fd() const;

private:
    static constexpr std::array numbers{SIGINT, SIGTERM};
    std::array<struct sigaction, numbers.size()> before_{};
};

/// Waits until the export has ended, for one of the signals, or for the termination of the program.
void wait_for_end(Session& session, const Export& served, const EndSignals& signals);

/// Ends an export and flushes the image: its writes are on the medium then, or the command fails.
Status end_export(Session& session, Export& served);

} // namespace zoneio
