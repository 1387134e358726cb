// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace zoneio {

/// Commands about one subject, for help. Each command is in one group. No group has the name of a command.
struct CommandGroup {
    std::string_view name;  ///< for `help NAME`
    std::string_view title; ///< the subject
    std::span<const std::string_view> commands;
};

/// All groups, those used most first.
std::span<const CommandGroup> command_groups();
/// The group with this name, or null.
const CommandGroup* find_command_group(std::string_view name);

} // namespace zoneio
