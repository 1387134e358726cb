// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rows of each family of commands. Each family has its own file.
#pragma once

#include "commands/command.h"

namespace zoneio {

extern const Command read_commands[2];
extern const Command write_commands[2];
extern const Command aio_commands[4];
extern const Command image_commands[7];
extern const Command session_commands[4];
extern const Command script_commands[1];
extern const Command zone_commands[6];
extern const Command zoned_commands[3];
extern const Command zone_list_commands[2];
extern const Command zone_map_commands[1];
extern const Command zone_apply_commands[1];
extern const Command find_commands[1];
extern const Command dump_commands[1];
extern const Command save_commands[1];
extern const Command load_commands[1];
extern const Command compare_commands[1];
extern const Command wipe_commands[1];
extern const Command log_commands[2];
extern const Command replay_commands[1];
extern const Command crash_commands[1];
extern const Command fails_commands[1];
extern const Command expect_commands[1];
extern const Command watch_commands[1];
extern const Command status_commands[1];
extern const Command why_commands[1];
extern const Command debug_commands[7];
extern const Command help_commands[1];
extern const Command export_commands[3];

} // namespace zoneio
