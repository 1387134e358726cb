// SPDX-License-Identifier: GPL-3.0-or-later
//
// Memory that runs out: `new` of the unit tests.
#pragma once

#include <cstddef>

namespace zoneio::testing {

/// Of this thread: so many allocations succeed, then one fails; negative: none does.
extern thread_local long allocations_left;
/// Of this thread: bytes that were allocated so far, given back or not.
extern thread_local size_t allocated_bytes;

} // namespace zoneio::testing
