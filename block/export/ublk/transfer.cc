// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/transfer.h"

#include <cerrno>
#include <unistd.h>

namespace zoneio {

namespace {

/// pread or pwrite of all bytes.
template <typename Call>
bool move_all(Call call, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
        const ssize_t moved = call(done);
        if (moved < 0 && errno == EINTR) {
            continue;
        }
        if (moved <= 0) {
            return false;
        }
        done += static_cast<uint64_t>(moved);
    }
    return true;
}

} // namespace

ublk::QueueCommand UblkTransfer::command(const UblkRequest& request, UblkDisk::Result result) const {
    const uint64_t place = is_user_copy_ ? result.append_sector : reinterpret_cast<uint64_t>(request.data);
    return {request.queue, request.tag, result.code, place};
}

bool UblkTransfer::take_data(UblkRequest& request) const {
    const int64_t from = ublk::data_offset(request.queue, request.tag);
    return !is_user_copy_ || move_all(
        [&](uint64_t done) {
            return pread(file_, request.data + done, request.bytes - done, from + static_cast<int64_t>(done));
        },
        request.bytes);
}

bool UblkTransfer::give_data(const UblkRequest& request) const {
    const bool is_report = request.kind == ServedKind::report;
    const auto* const data = is_report ? reinterpret_cast<const uint8_t*>(request.report.data()) : request.data;
    const uint64_t bytes = is_report ? request.report.size() * sizeof(ublk::ReportedZone) : request.bytes;
    const int64_t to = ublk::data_offset(request.queue, request.tag);
    return !is_user_copy_ || move_all(
        [&](uint64_t done) { return pwrite(file_, data + done, bytes - done, to + static_cast<int64_t>(done)); }, bytes);
}

} // namespace zoneio
