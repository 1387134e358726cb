// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/zones/cells.h"

#include <string>
#include <string_view>

namespace zoneio {

/// A picture has no more cells than these; a larger device has several zones in a cell.
inline constexpr uint64_t most_picture_cells = 4096;

/// The map as an SVG picture of its own: readable on light and dark grounds, with a title for each cell that tells
/// the zone, its state and how much is written. `name` is the device's.
std::string zone_svg(std::string_view name, const Limits& limits, const ZoneCells& cells);

/// The same as a page with a table of the states; nothing in it comes from elsewhere. It is well-formed XML, too.
std::string zone_html(std::string_view name, const Limits& limits, const ZoneCells& cells);

/// `text` for XML.
std::string xml_escape(std::string_view text);

} // namespace zoneio
