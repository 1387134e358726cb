// SPDX-License-Identifier: GPL-3.0-or-later
//
// Completion of an unfinished line, from the rows of commands and drivers and the open device. Does not depend on the
// terminal.
#pragma once

#include "commands/command.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Possible continuations at the cursor.
struct Completions {
    size_t begin = 0;                 ///< position in the line of the text that matches replace
    std::vector<std::string> matches; ///< without duplicates, in a useful order
    std::vector<std::string> notes;   ///< what each of the matches is, in a line; empty where nothing is known of them
    bool files = false;               ///< file names match too
    bool ends_word = true;            ///< a space may follow; false after `key=`
};

/// Completions for `line`, the text before the cursor. Reads only the limits of the device.
Completions complete(Session& session, std::string_view line);

/// Completions of `key=value,key=value`. `text` is the string before the cursor; `begin` is relative to it. `driver`:
/// used if the string names none.
Completions complete_options(std::string_view text, std::string_view driver);

/// The missing arguments, as in the usage line. Empty if none is missing or the command is unknown. Starts with a space
/// if one must be typed first.
std::string argument_hint(std::string_view line);

} // namespace zoneio
