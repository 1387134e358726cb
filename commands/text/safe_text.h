// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zoneio {

/// Makes text from outside, such as names of files and processes, safe for a terminal: on a terminal, control
/// characters and invalid UTF-8 become `\xHH`, so that they cannot move the cursor or set the title. Otherwise returns
/// the text unchanged.
std::string for_terminal(int fd, std::string_view text);

/// getopt(3)'s error about a letter, in getopt's words. Call it after getopt has returned '?' with opterr 0. `options`:
/// the letters given to getopt.
std::string getopt_complaint(std::string_view options);

/// Prints `PREFIX`, `SEPARATOR` and `TEXT` as a line on stderr. See for_terminal().
void print_error_line(std::string_view prefix, std::string_view separator, std::string_view text);

/// Prints `PROGRAM: cannot write to standard output: REASON` on stderr; nothing if the reader has closed the pipe
/// (EPIPE).
void print_lost_output(std::string_view program, int error);

} // namespace zoneio
