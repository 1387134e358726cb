// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Turns the events on that a pattern matches (`*` and `?` stand for any characters), or off with a `-` in
/// front. False: the pattern is a plain name, and there is no such event.
bool trace_enable(std::string_view pattern);

/// Sends trace output to a file instead of stderr.
Status trace_set_file(const std::string& path);

/// The names of all events.
std::vector<std::string_view> trace_event_names();

} // namespace zoneio
