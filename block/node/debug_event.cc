// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/debug_event.h"

#include <algorithm>
#include <iterator>

namespace zoneio {

namespace {

/// In the order of DebugEvent.
constexpr std::string_view names[debug_event_count] = {
#define ZONEIO_DEBUG_EVENT(name) #name,
#include "block/node/debug_event.def"
#undef ZONEIO_DEBUG_EVENT
};

} // namespace

std::span<const std::string_view> debug_event_names() {
    return names;
}

std::optional<DebugEvent> find_debug_event(std::string_view name) {
    const auto* const found = std::find(std::begin(names), std::end(names), name);
    if (found == std::end(names)) {
        return std::nullopt;
    }
    return static_cast<DebugEvent>(found - std::begin(names));
}

} // namespace zoneio
