// SPDX-License-Identifier: GPL-3.0-or-later
//
// The detailed help of a command, made from its row and the rows of its options.
#pragma once

#include "commands/command.h"

#include <string>

namespace zoneio {

/// Text of `help COMMAND` below the usage line. Empty if qemu-io has none and suites compare that.
std::string help_of(const Command& command);
/// Text for the manual, which exists for every command.
std::string manual_of(const Command& command);

} // namespace zoneio
