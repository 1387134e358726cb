// SPDX-License-Identifier: GPL-3.0-or-later
//
// Option rows of commands that select zones.
#pragma once

#include "commands/parse_options.h"
#include "commands/zones/filter.h"

namespace zoneio {

/// Parses an argument into the `filter` of a `Parsed`, with ZoneFilter's function `Set`.
template <Status (ZoneFilter::*Set)(std::string_view), typename Parsed>
OptionStep set_filter(const GivenOption& given, Parsed& parsed) {
    return step_after(given, (parsed.filter.*Set)(given.word));
}

template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_range_row{
    {.letter = 'r', .name = "range", .argument = "ZONES", .help = "select zones by number: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_range, Parsed>};
template <typename Parsed>
inline constexpr OptionRow<Parsed> zone_fill_row{
    {.letter = 'f', .name = "fill", .argument = "PERCENT", .help = "select zones by percent written: A, A-B, A- or -B"},
    set_filter<&ZoneFilter::set_fill, Parsed>};

} // namespace zoneio
