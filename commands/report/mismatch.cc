// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report/mismatch.h"

#include "block/base/buffer.h"

#include <algorithm>

namespace zoneio {

void compare_with_pattern(DataMismatch& sum, const uint8_t* data, uint64_t bytes, uint64_t offset) {
    if (all_bytes_equal(data, bytes, sum.expected)) {
        return;
    }
    if (sum.bytes == 0) {
        const uint8_t* const first = std::find_if(data, data + bytes, [&](uint8_t byte) { return byte != sum.expected; });
        sum.offset = offset + static_cast<uint64_t>(first - data);
        sum.found = *first;
    }
    sum.bytes += bytes - static_cast<uint64_t>(std::count(data, data + bytes, sum.expected));
}

} // namespace zoneio
