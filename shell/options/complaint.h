// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <getopt.h>
#include <span>
#include <string>

namespace zoneio {

/// True if the words ask for JSON output anywhere. Errors about earlier words are then records, too.
bool asks_for_json(std::span<char* const> words);

/// The error of getopt_long(3) about `words`, in getopt's own text. Call it after getopt has returned '?' with opterr
/// 0. `table` and `letters`: the arguments of getopt.
std::string option_complaint(std::span<char* const> words, std::span<const option> table, const std::string& letters);

/// The long option that an unknown one may have been meant for; empty if none is similar, or if the word is a valid
/// option.
std::string meant_option(std::span<char* const> words, std::span<const option> table);

} // namespace zoneio
