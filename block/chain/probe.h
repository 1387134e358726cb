// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"

#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// Number of bytes at the start of an image that are probed.
inline constexpr size_t probe_bytes = 512;

/// The format of an image that starts with these bytes; `raw` if they match no format.
std::string_view format_of(std::span<const uint8_t> head);

/// The format of a node's content.
Result<std::string> probe_format(BlockNode& node);

} // namespace zoneio
