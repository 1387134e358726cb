// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

#include <span>
#include <string_view>
#include <vector>

namespace zoneio {

/// All commands, sorted by name.
std::span<const Command* const> command_table();
/// The command with this name or short name, or null.
const Command* find_command(std::string_view word);

/// Names and short names of all commands.
std::vector<std::string_view> command_names();

} // namespace zoneio
