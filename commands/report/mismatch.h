// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/failure.h"

#include <cstdint>

namespace zoneio {

/// Compares data read at `offset` of the image with `sum.expected` and adds differences to `sum`. Calls must be in the
/// order of offsets. `sum.bytes` stays 0 while nothing differs.
void compare_with_pattern(DataMismatch& sum, const uint8_t* data, uint64_t bytes, uint64_t offset);

} // namespace zoneio
