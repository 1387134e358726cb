// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/served_request.h"

#include <algorithm>
#include <vector>

namespace zoneio {

namespace {

/// True if the device has the first `bytes` bytes of the request's data at offset `at`.
bool is_stored(BackendPort& port, uint64_t at, uint64_t bytes, const IsData& is_data) {
    constexpr uint64_t compared_at_once = uint64_t{64} * 1024;
    std::vector<uint8_t> stored(std::min(bytes, compared_at_once));
    for (uint64_t done = 0; done < bytes;) {
        const std::span part = std::span(stored).first(std::min<uint64_t>(bytes - done, stored.size()));
        if (!port.read_now(at + done, part).ok() || !is_data(done, part)) {
            return false;
        }
        done += part.size();
    }
    return true;
}

} // namespace

uint64_t skip_done(BackendPort& port, ServedRequest& request, uint64_t zone, const IsData& is_data) {
    Request& asked = request.request;
    const bool is_append = request.kind == ServedKind::append;
    const std::optional<uint64_t> begin = is_append ? request.begin_pointer : std::optional(asked.offset);
    const std::optional<uint64_t> pointer = port.write_pointer(zone);
    if (!begin || !pointer || *begin < zone || *pointer <= *begin) {
        return 0;
    }
    const uint64_t done = std::min(*pointer - *begin, asked.bytes);
    if (!is_stored(port, *begin, done, is_data)) {
        return 0;
    }
    request.position = *begin;
    if (done < asked.bytes) {
        asked.op = is_append ? RequestOp::write : asked.op;
        asked.offset = *begin + done;
        asked.bytes -= done;
        return done;
    }
    request.is_answered_at_once = !asked.flags.fua;
    asked.op = RequestOp::flush;
    asked.iov = {};
    asked.flags = {};
    return 0;
}

} // namespace zoneio
