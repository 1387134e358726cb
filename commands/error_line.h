// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace zoneio {

/// Prints `PREFIX` and `TEXT` as a line on stderr. At a terminal, control characters in the text are shown as `\xHH`.
void print_error_line(std::string_view prefix, std::string_view separator, std::string_view text);

} // namespace zoneio
