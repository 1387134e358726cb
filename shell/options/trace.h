// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <optional>
#include <string>

namespace zoneio {

/// Carries out `-T SPEC` and prints warnings. The text of an error follows the program's name: `: TEXT`, or `:FILE:
/// TEXT` for a file of events. Sets `file` to the trace file, or to nothing if SPEC names none. If SPEC asks for help,
/// prints it and returns the exit status.
Result<std::optional<int>> configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file);

} // namespace zoneio
