// SPDX-License-Identifier: GPL-3.0-or-later
//
// Requests that an earlier server has taken and not answered. Their effects on a sequential zone must not be repeated.
// Elsewhere, repeating a request has the same result.
#include "block/export/ublk/disk.h"

#include "block/base/buffer.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

namespace {

constexpr uint64_t compared_at_once = 64 * 1024;

} // namespace

/// True if the device has the first `bytes` bytes of the request's data at offset `at`.
bool UblkDisk::is_stored(const UblkRequest& request, uint64_t at, uint64_t bytes) {
    std::vector<uint8_t> stored(std::min(bytes, compared_at_once));
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t part = std::min<uint64_t>(bytes - done, stored.size());
        if (!port_.read_now(at + done, std::span(stored).first(part)).ok()) {
            return false;
        }
        const bool same = request.has_data() ? memcmp(request.data + done, stored.data(), part) == 0
                                             : all_bytes_equal(stored.data(), part, 0);
        if (!same) {
            return false;
        }
        done += part;
    }
    return true;
}

void UblkDisk::skip_done(UblkRequest& request) {
    if (!request.zone) {
        return;
    }
    Request& asked = request.request;
    const bool is_append = request.kind == ServedKind::append;
    const std::optional<uint64_t> begin = is_append ? request.begin_pointer : std::optional(asked.offset);
    const std::optional<uint64_t> pointer = write_pointer(*request.zone);
    if (!begin || !pointer || *begin < *request.zone || *pointer <= *begin) {
        return;
    }
    const uint64_t done = std::min(*pointer - *begin, asked.bytes);
    if (!is_stored(request, *begin, done)) {
        return;
    }
    request.position = *begin;
    if (done < asked.bytes) {
        asked.op = is_append ? RequestOp::write : asked.op;
        asked.offset = *begin + done;
        asked.bytes -= done;
        if (asked.op == RequestOp::write) {
            asked.iov = IoVec(request.data + done, asked.bytes);
        }
        return;
    }
    request.is_answered_at_once = !asked.flags.fua;
    asked.op = RequestOp::flush;
    asked.iov = {};
    asked.flags = {};
}

} // namespace zoneio
