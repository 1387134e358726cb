// SPDX-License-Identifier: GPL-3.0-or-later
//
// The options of `driver=zoned`.
#include "block/base/size.h"
#include "block/zoned/file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

constexpr uint64_t default_zone_size = 64U << 20;
constexpr uint64_t default_block_size = 512;

Status invalid_list(std::string_view key, std::string_view text) {
    return Status::invalid(fmt::format("Parameter '{}' expects zone numbers, as in 3,5-7 (in an option string the "
                                       "comma is doubled, or a colon: 3:5-7), not '{}'",
                                       key, text))
        .because(Cause::bad_option_value, {.name = std::string(key), .expected = ValueKind::zone_numbers});
}

/// Parses a number at the start of `text`, and removes it.
bool take_number(std::string_view& text, uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return error == std::errc();
}

/// Adds the zone numbers of `3,5-7` or `3:5-7`.
Status add_list(std::string_view key, std::string_view text, ZoneRanges& ranges) {
    std::string_view rest = text;
    while (!rest.empty()) {
        uint64_t first = 0;
        if (!take_number(rest, first)) {
            return invalid_list(key, text);
        }
        uint64_t last = first;
        if (rest.starts_with('-')) {
            rest.remove_prefix(1);
            if (!take_number(rest, last)) {
                return invalid_list(key, text);
            }
        }
        const bool separated = rest.starts_with(',') || rest.starts_with(':');
        if (last < first || last >= ZoneGeometry::most_zones || !(rest.empty() || (separated && rest.size() > 1))) {
            return invalid_list(key, text);
        }
        rest.remove_prefix(separated ? 1 : 0);
        ranges.push_back({first, last});
    }
    return {};
}

/// Sorts ranges and joins adjacent ones.
void join_ranges(ZoneRanges& ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const ZoneRange& a, const ZoneRange& b) { return a.first < b.first; });
    ZoneRanges joined;
    for (const ZoneRange& range : ranges) {
        if (!joined.empty() && range.first <= joined.back().last + 1) {
            joined.back().last = std::max(joined.back().last, range.last);
        } else {
            joined.push_back(range);
        }
    }
    ranges = std::move(joined);
}

/// Takes a list given as `key=3,5` or as `key.0=3`, `key.1=5` (also the form of a JSON array).
Status take_list(Options& options, const std::string& key, ZoneRanges& ranges) {
    if (const std::optional<std::string> text = options.take(key)) {
        TRY(add_list(key, *text, ranges));
    }
    const Options indexed = options.take_subtree(key);
    for (const auto& [index, value] : indexed.all()) {
        const std::optional<std::string> text = option_text(value);
        const bool is_index = !index.empty() && std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!is_index || !text || text->empty()) {
            return invalid_list(fmt::format("{}.{}", key, index), text.value_or(""));
        }
        TRY(add_list(key, *text, ranges));
    }
    join_ranges(ranges);
    return {};
}

Status check_list(const ZoneGeometry& geometry, std::string_view key, const ZoneRanges& ranges) {
    for (const ZoneRange& range : ranges) {
        if (geometry.is_conventional(range.first)) {
            return Status::invalid(fmt::format("{}: zone {} is conventional", key, range.first));
        }
        if (range.last >= geometry.zone_count()) {
            return Status::invalid(fmt::format("{}: zone {} does not exist; the last zone is {}", key,
                                               std::max(range.first, geometry.zone_count()), geometry.zone_count() - 1));
        }
    }
    return {};
}

/// The first zone that is in both lists, if any.
std::optional<uint64_t> common_zone(const ZoneRanges& a, const ZoneRanges& b) {
    for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
        const uint64_t first = std::max(left->first, right->first);
        if (first <= std::min(left->last, right->last)) {
            return first;
        }
        left->last < right->last ? ++left : ++right;
    }
    return std::nullopt;
}

Status mismatch(std::string_view key, const std::string& given, const std::string& found) {
    return Status::invalid(fmt::format("the file holds a zoned device with {}={}, not {}", key, found, given))
        .because(Cause::other_geometry);
}

Status match(std::string_view key, const std::optional<uint64_t>& given, uint64_t found) {
    return given && *given != found ? mismatch(key, std::to_string(*given), std::to_string(found)) : Status();
}

ZoneRanges zones_in(const ZoneTable& table, ZoneState state) {
    ZoneRanges ranges;
    for (uint64_t zone = 0; zone < table.size(); zone++) {
        if (table.current(zone).state != state) {
            continue;
        }
        if (!ranges.empty() && ranges.back().last + 1 == zone) {
            ranges.back().last = zone;
        } else {
            ranges.push_back({zone, zone});
        }
    }
    return ranges;
}

std::string list_text(const ZoneRanges& ranges) {
    constexpr size_t shown = 8;
    std::vector<uint64_t> zones;
    for (const ZoneRange& range : ranges) {
        for (uint64_t zone = range.first; zone <= range.last && zones.size() <= shown; zone++) {
            zones.push_back(zone);
        }
    }
    const std::span<const uint64_t> first = std::span(zones).first(std::min(zones.size(), shown));
    return fmt::format("{}{}", fmt::join(first, ":"), zones.size() > shown ? ":..." : "");
}

/// An empty list is not compared.
Status match_list(std::string_view key, const ZoneRanges& given, const ZoneTable& table, ZoneState state) {
    if (given.empty()) {
        return {};
    }
    const ZoneRanges found = zones_in(table, state);
    return given == found ? Status() : mismatch(key, list_text(given), list_text(found));
}

} // namespace

Result<ZonedOptions> ZonedOptions::take(Options& options) {
    ZonedOptions taken;
    TRY(options.take_all({OptionTarget::size("size", taken.size),
                          OptionTarget::size("zone.size", taken.zone_size),
                          OptionTarget::size("zone.capacity", taken.zone_capacity),
                          OptionTarget::number("zone.conventional_zones", taken.conventional_zones),
                          OptionTarget::number("zone.max_open_zones", taken.max_open_zones),
                          OptionTarget::number("zone.max_active_zones", taken.max_active_zones),
                          OptionTarget::size("zone.max_append_bytes", taken.max_append_bytes),
                          OptionTarget::size("logical_block_size", taken.block_size)}));
    TRY(take_list(options, "zone.readonly", taken.read_only));
    TRY(take_list(options, "zone.offline", taken.offline));
    return taken;
}

Result<ZoneGeometry> ZonedOptions::geometry() const {
    if (!size) {
        return Status::invalid("a new zoned device requires the option 'size'").because(Cause::needs_size);
    }
    ZoneGeometry made;
    made.size = *size;
    made.zone_size = zone_size.value_or(default_zone_size);
    made.zone_capacity = zone_capacity.value_or(made.zone_size);
    made.conventional_zones = conventional_zones.value_or(0);
    made.max_open_zones = max_open_zones.value_or(0);
    made.max_active_zones = max_active_zones.value_or(0);
    made.max_append_bytes = max_append_bytes.value_or(0);
    made.block_size = static_cast<uint32_t>(std::min<uint64_t>(block_size.value_or(default_block_size), UINT32_MAX));
    TRY(made.check());
    TRY(check_list(made, "zone.readonly", read_only));
    TRY(check_list(made, "zone.offline", offline));
    if (const std::optional<uint64_t> both = common_zone(read_only, offline)) {
        return Status::invalid(fmt::format("zone {} cannot be both read-only and offline", *both));
    }
    return made;
}

Status ZonedOptions::check_match(const ZoneGeometry& geometry, const ZoneTable& table) const {
    TRY(match("size", size, geometry.size));
    TRY(match("zone.size", zone_size, geometry.zone_size));
    TRY(match("zone.capacity", zone_capacity, geometry.zone_capacity));
    TRY(match("zone.conventional_zones", conventional_zones, geometry.conventional_zones));
    TRY(match("zone.max_open_zones", max_open_zones, geometry.max_open_zones));
    TRY(match("zone.max_active_zones", max_active_zones, geometry.max_active_zones));
    TRY(match("zone.max_append_bytes", max_append_bytes, geometry.max_append_bytes));
    TRY(match("logical_block_size", block_size, geometry.block_size));
    TRY(match_list("zone.readonly", read_only, table, ZoneState::read_only));
    return match_list("zone.offline", offline, table, ZoneState::offline);
}

} // namespace zoneio
