// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace zoneio {

/// Events of requests to which fault injection ties rules and breakpoints.
enum class DebugEvent : uint8_t {
#define ZONEIO_DEBUG_EVENT(name) name,
#include "block/node/debug_event.def"
#undef ZONEIO_DEBUG_EVENT
};

inline constexpr std::array all_debug_events{
#define ZONEIO_DEBUG_EVENT(name) DebugEvent::name,
#include "block/node/debug_event.def"
#undef ZONEIO_DEBUG_EVENT
};
inline constexpr size_t debug_event_count = all_debug_events.size();

/// In the order of DebugEvent.
std::span<const std::string_view> debug_event_names();
/// Empty if no event has this name.
std::optional<DebugEvent> find_debug_event(std::string_view name);

} // namespace zoneio
