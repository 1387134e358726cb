// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/failure.h"

#include <cstdint>

namespace zoneio {

/// Compares data that was read at `offset` of the image with `sum.expected`, and adds what differs to `sum`. Data is compared in
/// the order of its offsets; `sum.bytes` stays 0 as long as nothing differs.
void compare_with_pattern(DataMismatch& sum, const uint8_t* data, uint64_t bytes, uint64_t offset);

} // namespace zoneio
