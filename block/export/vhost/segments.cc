// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/segments.h"

#include "block/export/vhost/guest_memory.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

IoVec part_of(const std::vector<iovec>& segments, uint64_t from, uint64_t length) {
    IoVec part;
    for (const iovec& segment : segments) {
        if (from >= segment.iov_len) {
            from -= segment.iov_len;
            continue;
        }
        const uint64_t taken = std::min(length, segment.iov_len - from);
        if (taken == 0) {
            break;
        }
        part.push_back(static_cast<uint8_t*>(segment.iov_base) + from, taken);
        length -= taken;
        from = 0;
    }
    return part;
}

void copy_in(const std::vector<iovec>& segments, uint64_t from, void* target, size_t length) {
    auto* to = static_cast<uint8_t*>(target);
    const IoVec part = part_of(segments, from, length);
    for (const iovec& segment : part.segments()) {
        copy_once(to, segment.iov_base, segment.iov_len);
        to += segment.iov_len;
    }
}

void copy_out(const std::vector<iovec>& segments, uint64_t at, const void* source, size_t length) {
    const auto* from = static_cast<const uint8_t*>(source);
    const IoVec part = part_of(segments, at, length);
    for (const iovec& segment : part.segments()) {
        memcpy(segment.iov_base, from, segment.iov_len);
        from += segment.iov_len;
    }
}

} // namespace zoneio
