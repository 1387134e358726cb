// SPDX-License-Identifier: GPL-3.0-or-later
//
// Requests that an earlier back end has taken and not answered. Their effects on a sequential zone must not be
// repeated. Elsewhere, repeating a request has the same result.
#include "block/export/vhost/segments.h"
#include "block/export/vhost/virtio_blk.h"

#include "block/base/buffer.h"

#include <algorithm>
#include <cstring>

namespace zoneio {

namespace {

constexpr uint64_t compared_at_once = 64 * 1024;

} // namespace

std::optional<uint64_t> VirtioBlk::moved_zone(const VirtioBlkRequest& request) {
    const bool is_write = request.kind == ServedKind::write || request.kind == ServedKind::write_zeroes ||
                          request.kind == ServedKind::append;
    if (!is_zoned() || !is_write || request.answer != Answer::ok || !write_pointer(request.request.offset)) {
        return std::nullopt;
    }
    const uint64_t zone_size = port_.limits().zone_size;
    return request.request.offset / zone_size * zone_size;
}

/// True if the device has the first `bytes` bytes of the request's data at offset `at`.
bool VirtioBlk::is_stored(const VirtioBlkRequest& request, uint64_t at, uint64_t bytes) {
    std::vector<uint8_t> wanted(std::min(bytes, compared_at_once));
    std::vector<uint8_t> stored(wanted.size());
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t part = std::min<uint64_t>(bytes - done, wanted.size());
        if (request.kind != ServedKind::write_zeroes) {
            copy_in(request.chain.readable, sizeof(virtio_blk::Header) + done, wanted.data(), part);
        }
        if (!port_.read_now(at + done, std::span(stored).first(part)).ok() ||
            memcmp(wanted.data(), stored.data(), part) != 0) {
            return false;
        }
        done += part;
    }
    return true;
}

void VirtioBlk::skip_done(VirtioBlkRequest& request) {
    const std::optional<uint64_t> zone = moved_zone(request);
    if (!zone) {
        return;
    }
    Request& asked = request.request;
    const bool is_append = request.kind == ServedKind::append;
    const std::optional<uint64_t> begin = is_append ? request.begin_pointer : std::optional(asked.offset);
    const std::optional<uint64_t> pointer = write_pointer(*zone);
    if (!begin || !pointer || *begin < *zone || *pointer <= *begin) {
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
            asked.iov = part_of(request.chain.readable, sizeof(virtio_blk::Header) + done, asked.bytes);
        }
        return;
    }
    request.is_answered_at_once = !asked.flags.fua;
    asked.op = RequestOp::flush;
    asked.iov = {};
    asked.flags = {};
}

} // namespace zoneio
