// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a line that is being typed may go on. Knows what the rows of the command and driver tables say, and the open
// device; the terminal is somebody else's.
#pragma once

#include "commands/command.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// What may stand at the cursor.
struct Completions {
    size_t begin = 0;                 ///< where in the line that begins which the matches replace
    std::vector<std::string> matches; ///< each once, in a useful order
    std::vector<std::string> notes;   ///< what each of the matches is, in a line; empty where nothing is known of them
    bool files = false;               ///< names of files, too
    bool ends_word = true;            ///< a space may follow; not behind `key=`
};

/// `line` is what stands before the cursor. Reads no more of the device than its limits.
Completions complete(Session& session, std::string_view line);

/// What complete() adds for `key=value,key=value`; `text` is the string up to the cursor, `begin` relative to it.
/// `driver`: the one that is meant where the string names none.
Completions complete_options(std::string_view text, std::string_view driver);

/// The arguments that are still to come, as the usage line has them; empty when nothing is missing or the command is
/// unknown. Begins with a space where one has to be typed first.
std::string argument_hint(std::string_view line);

} // namespace zoneio
