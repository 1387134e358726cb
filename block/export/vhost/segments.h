// SPDX-License-Identifier: GPL-3.0-or-later
//
// Access to pieces of a guest's memory as if they were contiguous.
#pragma once

#include "block/base/buffer.h"

#include <cstdint>
#include <sys/uio.h>
#include <vector>

namespace zoneio {

/// The part [from, from + length) of the segments.
IoVec part_of(const std::vector<iovec>& segments, uint64_t from, uint64_t length);
/// Copies a part. The source may change at the same time; the copy does not.
void copy_in(const std::vector<iovec>& segments, uint64_t from, void* target, size_t length);
void copy_out(const std::vector<iovec>& segments, uint64_t at, const void* source, size_t length);

} // namespace zoneio
