// SPDX-License-Identifier: GPL-3.0-or-later
//
// Words about zones: names of their states in texts and on command lines, and how much of them is written.
#pragma once

#include "block/base/enum_word.h"
#include "block/node/zone.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

/// Words for a zone state. The order is that of tables and legends.
struct ZoneStateWords {
    ZoneState state;
    std::string_view text;   ///< in sentences: `implicitly open`
    std::string_view option; ///< on command lines: `implicit`
    char letter;             ///< in maps
};

inline constexpr std::array<ZoneStateWords, 8> zone_state_words{{
    {ZoneState::empty, "empty", "empty", ' '},
    {ZoneState::implicit_open, "implicitly open", "implicit", 'i'},
    {ZoneState::explicit_open, "explicitly open", "explicit", 'e'},
    {ZoneState::closed, "closed", "closed", 'c'},
    {ZoneState::full, "full", "full", ' '},
    {ZoneState::read_only, "read-only", "readonly", 'r'},
    {ZoneState::offline, "offline", "offline", 'x'},
    {ZoneState::not_write_pointer, "conventional", "conventional", ' '},
}};

/// Operands of zone_state.
inline constexpr EnumWord<ZoneState> settable_state_words[] = {
    {"readonly", ZoneState::read_only}, {"offline", ZoneState::offline}, {"empty", ZoneState::empty}};

/// An operation, and its past participle.
struct ZoneOperation {
    ZoneOp op;
    std::string_view done;
};

/// Operands of zone_apply.
inline constexpr EnumWord<ZoneOperation> zone_operation_words[] = {
    {"open", {ZoneOp::open, "opened"}},
    {"close", {ZoneOp::close, "closed"}},
    {"finish", {ZoneOp::finish, "finished"}},
    {"reset", {ZoneOp::reset, "reset"}},
};

/// Index in zone_state_words. An unknown state counts as conventional, which has no write pointer either.
inline size_t state_index(ZoneState state) {
    size_t index = 0;
    while (index + 1 < zone_state_words.size() && zone_state_words[index].state != state) {
        index++;
    }
    return index;
}
std::string_view state_text(ZoneState state);
/// `1 zone`, `5 zones`.
std::string zones_text(uint64_t count);
/// `host-managed`, `host-aware`.
std::string_view model_text(ZonedModel model);
/// `conventional`, `sequential`, `preferred`.
std::string_view type_text(ZoneType type);

inline bool is_open(ZoneState state) {
    return state == ZoneState::implicit_open || state == ZoneState::explicit_open;
}
/// True when a zone in this state is active.
inline bool is_active(ZoneState state) {
    return is_open(state) || state == ZoneState::closed;
}
/// False for zones whose write pointer is meaningless: conventional, full, read-only and offline zones. The standards
/// call it invalid there, and devices report anything.
inline bool has_write_pointer(const ZoneDescriptor& zone) {
    const bool takes_writes = zone.state == ZoneState::empty || is_active(zone.state);
    return takes_writes && zone.type != ZoneType::conventional && zone.write_pointer != no_write_pointer;
}

/// Bytes written since the last reset, at most the capacity. A full zone counts as completely written. Empty for zones
/// without a valid write pointer that are not full.
inline std::optional<uint64_t> written_bytes(const ZoneDescriptor& zone) {
    if (zone.state == ZoneState::full) {
        return zone.capacity;
    }
    if (!has_write_pointer(zone)) {
        return std::nullopt;
    }
    return std::min(zone.write_pointer - std::min(zone.start, zone.write_pointer), zone.capacity);
}

/// written_bytes() in percent of the capacity, rounded down, but at least 1 if anything is written.
std::optional<unsigned> fill_percent(const ZoneDescriptor& zone);
/// `part` as a percentage of `whole`, rounded likewise; 0 if `whole` is 0.
unsigned percent_of(uint64_t part, uint64_t whole);

} // namespace zoneio
