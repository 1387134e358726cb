// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/engine.h"

#include <cerrno>
#include <new>

namespace zoneio {

namespace {

void run_request(BlockNode& root, Request& request) {
    switch (request.op) {
    case RequestOp::read: request.status = root.preadv(request.offset, request.iov); break;
    case RequestOp::write: request.status = root.pwritev(request.offset, request.iov, request.flags); break;
    case RequestOp::write_zeroes:
        request.status = root.pwrite_zeroes(request.offset, request.bytes, request.flags);
        break;
    case RequestOp::discard: request.status = root.pdiscard(request.offset, request.bytes); break;
    case RequestOp::flush: request.status = root.flush(); break;
    case RequestOp::truncate: request.status = root.truncate(request.offset, request.prealloc); break;
    case RequestOp::set_zone_state:
        request.status = root.set_zone_state(request.offset, request.bytes, request.zone_state);
        break;
    case RequestOp::zone_manage:
        request.status = root.zone_mgmt(request.zone_op, request.offset, request.bytes);
        break;
    case RequestOp::zone_report: {
        Result<uint64_t> seen = root.zone_report(request.offset, request.zone_count, request.visit);
        if (seen.ok()) {
            request.zone_count = *seen;
        }
        request.status = std::move(seen).status();
        break;
    }
    case RequestOp::zone_append: {
        Result<uint64_t> position = root.zone_append(request.offset, request.iov, request.flags);
        if (position.ok()) {
            request.offset = *position;
        }
        request.status = std::move(position).status();
        break;
    }
    }
}

} // namespace

void perform_blocking(BlockNode& root, Request& request) {
    try {
        run_request(root, request);
    } catch (const std::bad_alloc&) {
        request.status = Status::from_errno(ENOMEM);
    }
}

} // namespace zoneio
