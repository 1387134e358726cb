// SPDX-License-Identifier: GPL-3.0-or-later
//
// What zoneio's own zone commands have in common.
#pragma once

#include "commands/parse_options.h"
#include "commands/zones/filter.h"

namespace zoneio {

/// Is the open device zoned? Says so when not.
bool check_zoned(Session& session, const Command& command);

/// `PROGRAM: COMMAND: REASON` on stderr, or that the user ended it.
Outcome zone_command_failed(Session& session, const Command& command, const Status& status);

/// Says what is wrong with the argument of an option, if anything is.
OptionStep zone_option_step(const GivenOption& given, const Status& status);

/// The option narrows the choice of zones, the `filter` of a `Parsed`.
template <Status (ZoneFilter::*Set)(std::string_view), typename Parsed>
OptionStep set_filter(const GivenOption& given, Parsed& parsed) {
    return zone_option_step(given, (parsed.filter.*Set)(given.word));
}

// The rows that commands about some of the zones share.

template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_range_row{
    {.letter = 'r', .name = "range", .argument = "ZONES", .help = "select zones by number: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_range, Parsed>};
template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_fill_row{
    {.letter = 'f', .name = "fill", .argument = "PERCENT", .help = "select zones by percent written: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_fill, Parsed>};

} // namespace zoneio
