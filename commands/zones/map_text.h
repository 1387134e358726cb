// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/text/terminal.h"
#include "commands/zones/cells.h"

#include <string>

namespace zoneio {

/// How many cells a map in text has room for.
uint64_t map_text_room(const TextScreen& screen, uint64_t zones);

/// The map in text: a summary, rows of cells that begin with the number of their first zone, and a legend of what is on
/// it. A cell is a glyph for how much is written and, where there is more to know, a letter for the state.
std::string map_text(const TextScreen& screen, const Limits& limits, const ZoneCells& cells);

} // namespace zoneio
