// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands of each family, as rows for the command table. Each family has its own file.
#pragma once

#include "commands/command.h"

#include <span>

namespace zoneio {

std::span<const Command> read_commands();
std::span<const Command> write_commands();
std::span<const Command> aio_commands();
std::span<const Command> image_commands();
std::span<const Command> session_commands();
std::span<const Command> script_commands();
std::span<const Command> zone_commands();
std::span<const Command> zoned_commands();
std::span<const Command> zone_list_commands();
std::span<const Command> zone_map_commands();
std::span<const Command> zone_apply_commands();
std::span<const Command> find_commands();
std::span<const Command> dump_commands();
std::span<const Command> save_commands();
std::span<const Command> load_commands();
std::span<const Command> compare_commands();
std::span<const Command> wipe_commands();
std::span<const Command> log_commands();
std::span<const Command> replay_commands();
std::span<const Command> crash_commands();
std::span<const Command> fails_commands();
std::span<const Command> expect_commands();
std::span<const Command> watch_commands();
std::span<const Command> status_commands();
std::span<const Command> why_commands();
std::span<const Command> debug_commands();
std::span<const Command> help_commands();
std::span<const Command> export_commands();

} // namespace zoneio
