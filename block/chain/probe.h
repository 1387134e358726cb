// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"

#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// How much of an image's begin decides on its format, in bytes.
inline constexpr size_t probe_bytes = 512;

/// The format that an image beginning with these bytes has; `raw` when it is like no other.
std::string_view format_of(std::span<const uint8_t> head);

/// The format of what a node holds.
Result<std::string> probe_format(BlockNode& node);

} // namespace zoneio
