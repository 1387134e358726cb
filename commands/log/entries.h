// SPDX-License-Identifier: GPL-3.0-or-later
//
// Functions for the commands about write logs: opening a log, and finding entries.
#pragma once

#include "block/log/reader.h"
#include "commands/parse_options.h"

#include <optional>
#include <string>

namespace zoneio {

/// Opens the log in FILE, the name of an image. Empty after an error, which has been reported.
std::optional<OpenLog> open_log_argument(Session& session, const Command& command, const std::string& name);

/// Finds an entry by its number or by the name of a mark, the first one with that name. `mark:NAME` if the name is a
/// number. EINVAL if there is none.
Result<LogEntry> find_entry(LogReader& reader, const std::string& word);

/// The error, with a text that also names the entry: `entry 7 (write of 4096 bytes at 8192) does not apply: REASON`.
Status does_not_apply(const LogEntry& entry, Status status);

} // namespace zoneio
