// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/like.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace zoneio {

namespace {

struct Kind {
    uint64_t zone_size;        ///< bytes, of a real device
    uint64_t capacity_32nds;   ///< of the zone size
    uint64_t conventional_pct; ///< of the zones
    uint64_t open;             ///< most open zones; 0: no limit
    uint64_t active;
    uint64_t block;            ///< bytes
};

constexpr std::string_view words[] = {"zns", "smr", "null_blk"};
constexpr Kind kinds[] = {
    {2048ULL << 20, 17, 0, 14, 14, 4096},
    {256ULL << 20, 32, 1, 128, 0, 4096},
    {256ULL << 20, 32, 0, 0, 0, 512},
};

void set_default(Options& options, const char* key, uint64_t value) {
    if (!options.contains(key)) {
        options.set(key, fmt::format("{}", value));
    }
}

/// The zone size in the options; `zone_size` if they have none or an invalid one.
uint64_t zone_size_or(const Options& options, uint64_t zone_size) {
    const OptionValue* const given = options.find("zone.size");
    const std::optional<std::string> text = given != nullptr ? option_text(*given) : std::nullopt;
    uint64_t size = 0;
    const bool is_size = text && parse_option_size("zone.size", *text, size).ok() && size > 0;
    return is_size ? size : zone_size;
}

} // namespace

std::span<const std::string_view> like_words() {
    return words;
}

bool make_like(std::string_view kind, uint64_t size, Options& options) {
    const auto* const found = std::find(std::begin(words), std::end(words), kind);
    if (found == std::end(words)) {
        return false;
    }
    const Kind& like = kinds[found - std::begin(words)];
    constexpr uint64_t fewest_zones = 16;
    constexpr uint64_t smallest_zone = 1U << 20;
    const uint64_t fitting = std::bit_floor(std::max(size / fewest_zones, smallest_zone));
    const uint64_t zone_size = zone_size_or(options, std::min(like.zone_size, fitting));
    const uint64_t zones = size / zone_size;
    set_default(options, "zone.size", zone_size);
    set_default(options, "zone.capacity", zone_size / 32 * like.capacity_32nds);
    set_default(options, "logical_block_size", like.block);
    if (like.conventional_pct != 0) {
        set_default(options, "zone.conventional_zones", std::max<uint64_t>(zones * like.conventional_pct / 100, 1));
    }
    if (like.open != 0) {
        set_default(options, "zone.max_open_zones", like.open);
    }
    if (like.active != 0) {
        set_default(options, "zone.max_active_zones", like.active);
    }
    return true;
}

} // namespace zoneio
