// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/command.h"

#include <span>
#include <string_view>
#include <vector>

namespace zoneio {

/// All commands, sorted by name.
std::span<const Command* const> command_table();
/// By name or short name; null when there is none.
const Command* find_command(std::string_view word);

/// The names and short names of all commands.
std::vector<std::string_view> command_names();

} // namespace zoneio
