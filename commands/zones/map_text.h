// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/text/terminal.h"
#include "commands/zones/cells.h"

#include <string>

namespace zoneio {

/// Number of cells for which a text map has room.
uint64_t map_text_room(const TextScreen& screen, uint64_t zones);

/// The map as text: a summary, rows of cells that start with the number of their first zone, and a legend. A cell
/// consists of a glyph for the part that is written and, if needed, a letter for the state.
std::string map_text(const TextScreen& screen, const Limits& limits, const ZoneCells& cells);

} // namespace zoneio
