// SPDX-License-Identifier: GPL-3.0-or-later
//
// The longer help of a command, from its row and the rows of its options.
#pragma once

#include "commands/command.h"

#include <string>

namespace zoneio {

/// What `help COMMAND` shows below the usage line; empty where qemu-io shows nothing and suites compare that.
std::string help_of(const Command& command);
/// The same for the manual, which has it for every command.
std::string manual_of(const Command& command);

} // namespace zoneio
