// SPDX-License-Identifier: GPL-3.0-or-later
//
// Failing memory allocations: `new` for the unit tests.
#pragma once

#include <cstddef>

namespace zoneio::testing {

/// Number of allocations of this thread that succeed before one fails; negative: none fails.
extern thread_local long allocations_left;
/// Bytes allocated by this thread so far, whether freed or not.
extern thread_local size_t allocated_bytes;

} // namespace zoneio::testing
