// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zone_completion.h"

#include "commands/why.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr size_t most_matches = 1000;

/// Adds what `text_of` makes of each zone, where that begins with what was typed.
template <typename TextOf>
void add_zones(std::vector<std::string>& found, const Limits& limits, std::string_view typed, TextOf text_of) {
    for (uint64_t zone = 0; zone < limits.nr_zones && found.size() < most_matches; zone++) {
        std::string text = text_of(zone);
        if (text.starts_with(typed)) {
            found.push_back(std::move(text));
        }
    }
}

} // namespace

std::vector<std::string> zone_offsets(const Limits& limits, std::string_view typed) {
    std::vector<std::string> found;
    const size_t digits = std::min(typed.find_first_not_of("0123456789"), typed.size());
    if (digits > 0 && typed.substr(digits).starts_with("z")) {
        const std::string zone(typed.substr(0, digits + 1));
        for (std::string text : {zone, zone + "+wp"}) {
            if (text.starts_with(typed)) {
                found.push_back(std::move(text));
            }
        }
        return found;
    }
    const bool hex = typed.starts_with("0x");
    add_zones(found, limits, typed, [&](uint64_t zone) {
        return hex ? fmt::format("{:#x}", zone * limits.zone_size) : exact_size(zone * limits.zone_size);
    });
    if (!typed.empty() && !hex) {
        add_zones(found, limits, typed, [](uint64_t zone) { return fmt::format("{}z", zone); });
    }
    if (!typed.empty() && std::string_view("wp").starts_with(typed)) {
        found.emplace_back("wp");
    }
    return found;
}

std::vector<std::string> zone_lengths(const Limits& limits, std::string_view typed) {
    std::vector<std::string> found;
    for (std::string text : {exact_size(limits.zone_size), exact_size(limits.zone_size * limits.nr_zones),
                             std::string("1z"), fmt::format("{}z", limits.nr_zones)}) {
        if (text.starts_with(typed) && std::find(found.begin(), found.end(), text) == found.end()) {
            found.push_back(std::move(text));
        }
    }
    return found;
}

} // namespace zoneio
