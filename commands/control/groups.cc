// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/control/groups.h"

#include <algorithm>

namespace zoneio {

namespace {

constexpr std::string_view image[] = {"open", "close", "status", "length", "info", "map", "alloc", "reopen", "truncate", "create", "check"};
constexpr std::string_view data[] = {"read", "write", "discard", "flush", "readv", "writev", "aio_read", "aio_write", "aio_discard", "aio_flush"};
constexpr std::string_view region[] = {"dump", "find", "save", "load", "compare", "wipe"};
constexpr std::string_view zone[] = {"zone_list", "zone_map", "zone_info", "zone_report", "zone_append", "zone_reset", "zone_open",
                                     "zone_close", "zone_finish", "zone_apply", "zone_state"};
constexpr std::string_view served[] = {"export", "exports", "unexport"};
constexpr std::string_view test[] = {"fails", "expect", "source", "watch", "sleep", "break", "wait_break", "resume", "remove_break",
                                     "sigraise", "abort"};
constexpr std::string_view log[] = {"mark", "log", "replay", "crash"};
constexpr std::string_view shell[] = {"help", "why", "quit"};

constexpr CommandGroup groups[] = {
    {"image", "The image", image},
    {"data", "Read and write", data},
    {"region", "Ranges of any length", region},
    {"zone", "Zones", zone},
    {"serve", "Serve the image to others", served},
    {"test", "Scripts, tests and fault injection", test},
    {"power", "Write logs and power cuts", log},
    {"shell", "The shell", shell},
};

} // namespace

std::span<const CommandGroup> command_groups() {
    return groups;
}

const CommandGroup* find_command_group(std::string_view name) {
    const auto* const found = std::find_if(std::begin(groups), std::end(groups), [&](const CommandGroup& group) { return group.name == name; });
    return found != std::end(groups) ? found : nullptr;
}

} // namespace zoneio
