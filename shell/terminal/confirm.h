// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace zoneio {

/// Asks a question on the terminal that stdin is, stderr before stdout. Everything but `y` or `yes` means no, Ctrl-C and
/// the end of the input, too. What was typed before the question is no answer, and thrown away.
bool confirm(std::string_view question);

} // namespace zoneio
