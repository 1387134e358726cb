// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <getopt.h>
#include <span>
#include <string>

namespace zoneio {

/// Do the words of the program ask for records, wherever they do? Errors that come before that word are records, too.
bool asks_for_json(std::span<char* const> words);

/// What getopt_long(3) found wrong with `words`, in the words it has itself, after it returned '?' and with opterr 0.
/// `table` and `letters` are what it was given.
std::string option_complaint(std::span<char* const> words, std::span<const option> table, const std::string& letters);

/// The long option that a word may have been meant for which names none; empty when it is like no other, or names one.
std::string meant_option(std::span<char* const> words, std::span<const option> table);

} // namespace zoneio
