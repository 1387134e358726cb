// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/zones/cells.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Most cells in a picture. On a larger device, a cell stands for several zones.
inline constexpr uint64_t most_picture_cells = 4096;

/// The map as a self-contained SVG picture, readable on light and dark backgrounds. The title of each cell has the
/// zone, its state and how much is written. `name`: of the device.
std::string zone_svg(std::string_view name, const Limits& limits, const ZoneCells& cells);

/// The map as a self-contained page, with a table of the states. It is well-formed XML.
std::string zone_html(std::string_view name, const Limits& limits, const ZoneCells& cells);

/// Escapes `text` for XML.
std::string xml_escape(std::string_view text);

} // namespace zoneio
