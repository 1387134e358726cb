// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the commands about write logs share: opening one, and places in it.
#pragma once

#include "block/log/reader.h"
#include "commands/parse_options.h"

#include <optional>
#include <string>

namespace zoneio {

/// The log in FILE, which is named as an image; nothing after an error, which was told.
std::optional<OpenLog> open_log_argument(Session& session, const Command& command, const std::string& name);

/// The entry that `word` means: its number, or the name of a mark, of which the first counts; `mark:NAME` where a name is
/// a number. EINVAL when there is none.
Result<LogEntry> find_entry(LogReader& reader, const std::string& word);

/// `PROGRAM: COMMAND: REASON` on stderr, or that the user ended it.
Outcome log_command_failed(Session& session, const Command& command, const Status& status);

/// `write of 4096 bytes at 8192`, for messages.
std::string entry_text(const LogEntry& entry);

} // namespace zoneio
