// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zoneio {

/// What a text is shown as on this descriptor. Names of files and processes are others' texts, with whatever bytes: a
/// terminal gets control characters and what is no UTF-8 as `\xHH`, so that they cannot move its cursor or set its title.
std::string for_terminal(int fd, std::string_view text);

/// What getopt(3) or getopt_long(3) found wrong with a letter, in its words: after it returned '?', with opterr 0.
/// `options` is what it was given.
std::string getopt_complaint(std::string_view options);

/// Prints `PREFIX` and `TEXT` as a line on stderr. See for_terminal().
void print_error_line(std::string_view prefix, std::string_view separator, std::string_view text);

/// `PROGRAM: cannot write to standard output: REASON` on stderr; nothing about a reader that went away (EPIPE).
void print_lost_output(std::string_view program, int error);

} // namespace zoneio
