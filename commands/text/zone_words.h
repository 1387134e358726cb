// SPDX-License-Identifier: GPL-3.0-or-later
//
// Zones in words: the names of their states, for people and on command lines, and how full they are.
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

/// A zone state as the commands know it. The order is that of tables and legends.
struct ZoneStateWords {
    ZoneState state;
    std::string_view text;   ///< in a sentence: `implicitly open`
    std::string_view option; ///< on a command line: `implicit`
    char letter;             ///< in a map
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

/// An operation, and what a zone is when it succeeded.
struct ZoneOperation {
    ZoneOp op;
    std::string_view done;
};

/// What zone_apply takes.
inline constexpr EnumWord<ZoneOperation> zone_operation_words[] = {
    {"open", {ZoneOp::open, "opened"}},
    {"close", {ZoneOp::close, "closed"}},
    {"finish", {ZoneOp::finish, "finished"}},
    {"reset", {ZoneOp::reset, "reset"}},
};

/// Its index in zone_state_words; an unknown state counts as conventional, which has no pointer either.
inline size_t state_index(ZoneState state) {
    size_t index = 0;
    while (index + 1 < zone_state_words.size() && zone_state_words[index].state != state) {
        index++;
    }
    return index;
}
std::string_view state_text(ZoneState state);
/// `1 zone`, `5 zones`
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
/// Does the write pointer mean anything? Not in conventional and full zones, nor in those that the device gave up: the
/// standards call it invalid there, and devices show what they like.
inline bool has_write_pointer(const ZoneDescriptor& zone) {
    const bool takes_writes = zone.state == ZoneState::empty || is_active(zone.state);
    return takes_writes && zone.type != ZoneType::conventional && zone.write_pointer != no_write_pointer;
}

/// Bytes written since the last reset, at most the capacity; a full zone counts as written wholly, wherever its pointer
/// is. Nothing where no write pointer tells.
inline std::optional<uint64_t> written_bytes(const ZoneDescriptor& zone) {
    if (zone.state == ZoneState::full) {
        return zone.capacity;
    }
    if (!has_write_pointer(zone)) {
        return std::nullopt;
    }
    return std::min(zone.write_pointer - std::min(zone.start, zone.write_pointer), zone.capacity);
}

/// The same in percent, rounded down, but 1 as soon as anything is written.
std::optional<unsigned> fill_percent(const ZoneDescriptor& zone);
/// `part` of `whole` as such a percentage; 0 of nothing is 0.
unsigned percent_of(uint64_t part, uint64_t whole);

} // namespace zoneio
