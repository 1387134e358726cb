// SPDX-License-Identifier: GPL-3.0-or-later
//
// Memory that runs out: `new` of the unit tests.
#pragma once

namespace zoneio::testing {

/// Of this thread: so many allocations succeed, then one fails; negative: none does.
extern thread_local long allocations_left;

} // namespace zoneio::testing
