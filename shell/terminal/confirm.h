// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace zoneio {

/// Asks a question on the terminal that stdin is, stderr before stdout; `choices` is shown behind it. The answer is one of
/// `letters`, typed as the letter or as the word that it begins (`yes`, `read-only`), or 0 for everything else, Ctrl-C and the
/// end of the input, too. What was typed before the question is no answer, and thrown away.
char ask(std::string_view question, std::string_view choices, std::string_view letters);

} // namespace zoneio
