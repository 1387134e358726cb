// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace zoneio {

/// Commands about one thing, for help. Each command is in one group, and no group is called as a command is.
struct CommandGroup {
    std::string_view name;  ///< for `help NAME`
    std::string_view title; ///< what they are about
    std::span<const std::string_view> commands;
};

/// All of them, those used most first.
std::span<const CommandGroup> command_groups();
/// Null: there is none of that name.
const CommandGroup* find_command_group(std::string_view name);

} // namespace zoneio
