// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <optional>
#include <string>

namespace zoneio {

/// Does what `-T SPEC` asks for; warnings are printed. The text of an error is what follows the program's name: `: TEXT`, or
/// `:FILE: TEXT` about a file of events. `file` becomes where trace output is to go, or nothing when this SPEC does not say.
/// A value is the exit status of a SPEC that only asks for help, which is printed.
Result<std::optional<int>> configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file);

} // namespace zoneio
