// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/options/options.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace zoneio {

/// Kinds of devices for `create --like`.
std::span<const std::string_view> like_words();

/// Sets the options of a zoned device of `size` bytes that is like devices of a kind, where `options` do not say otherwise. On a
/// small device the zones are smaller, too, so that there are some. False: there is no such kind.
///
/// `zns`: an NVMe SSD (zones with a capacity below their size, few open and active zones). `smr`: a disk (conventional zones at the
/// start, a limit of open zones). `null_blk`: Linux's null_blk with its defaults (no limits).
bool make_like(std::string_view kind, uint64_t size, Options& options);

} // namespace zoneio
