// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

namespace zoneio {

/// Does what `-T SPEC` asks for; messages are printed. An exit status means that the program ends here.
/// `file` becomes where trace output is to go, or nothing when this SPEC does not say; see open_trace_file().
std::optional<int> configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file);

/// Sends trace output to the file; false, after saying why, when that cannot be.
bool open_trace_file(const std::string& program, const std::string& file);

} // namespace zoneio
