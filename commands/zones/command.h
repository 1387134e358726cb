// SPDX-License-Identifier: GPL-3.0-or-later
//
// What zoneio's own zone commands have in common.
#pragma once

#include "commands/command.h"
#include "commands/zones/filter.h"

namespace zoneio {

/// Is the open device zoned? Says so when not.
bool check_zoned(Session& session, const Command& command);

/// `PROGRAM: COMMAND: REASON` on stderr, or that the user ended it.
Outcome zone_command_failed(Session& session, const Command& command, const Status& status);

/// The options of a command about some of the zones: which, and one without an argument that is its own.
struct ZoneOptions {
    ZoneFilter filter;
    bool own = false;
};
/// Nothing after an error, which was told. `own` is the letter of that option.
std::optional<ZoneOptions> parse_zone_options(Session& session, const Command& command, CommandLine line, int own);

} // namespace zoneio
