// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace zoneio {

/// Asks a question on the terminal (on stderr if it is one, otherwise on stdout), followed by `choices`. The answer may
/// be one of `letters`, or the word that starts with it (`yes`, `read-only`). Returns the letter; 0 for other answers,
/// Ctrl-C and the end of the input. Discards input that was typed before the question.
char ask(std::string_view question, std::string_view choices, std::string_view letters);

} // namespace zoneio
