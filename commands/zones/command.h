// SPDX-License-Identifier: GPL-3.0-or-later
//
// Common parts of zoneio's own zone commands.
#pragma once

#include "commands/parse_options.h"
#include "commands/zones/filter.h"

namespace zoneio {

/// True if the open device is zoned. Reports an error otherwise.
bool check_zoned(Session& session, const Command& command);

/// Prints `PROGRAM: COMMAND: REASON` on stderr, or that the user interrupted the command.
Outcome zone_command_failed(Session& session, const Command& command, const Status& status);

/// Reports an error in the argument of an option, if `status` has one.
OptionStep zone_option_step(const GivenOption& given, const Status& status);

/// Parses an argument into the `filter` of a `Parsed`, with ZoneFilter's function `Set`.
template <Status (ZoneFilter::*Set)(std::string_view), typename Parsed>
OptionStep set_filter(const GivenOption& given, Parsed& parsed) {
    return zone_option_step(given, (parsed.filter.*Set)(given.word));
}

// Option rows of commands that select zones.

template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_range_row{
    {.letter = 'r', .name = "range", .argument = "ZONES", .help = "select zones by number: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_range, Parsed>};
template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_fill_row{
    {.letter = 'f', .name = "fill", .argument = "PERCENT", .help = "select zones by percent written: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_fill, Parsed>};

} // namespace zoneio
