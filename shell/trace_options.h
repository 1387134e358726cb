// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

namespace zoneio {

/// Does what `-T SPEC` asks for; messages are printed. An exit status means that the program ends here.
std::optional<int> configure_trace(const std::string& program, const std::string& spec);

} // namespace zoneio
