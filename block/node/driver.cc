// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/driver.h"

#include <fmt/format.h>

namespace zoneio {

Status BlockDriver::pwrite_zeroes(uint64_t /*offset*/, uint64_t /*bytes*/, WriteFlags /*flags*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::pdiscard(uint64_t /*offset*/, uint64_t /*bytes*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::pwritev_compressed(uint64_t /*offset*/, const IoVec& /*iov*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::read_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::write_vmstate(uint64_t /*offset*/, const IoVec& /*iov*/) {
    return Status::from_errno(ENOTSUP);
}

Result<bool> BlockDriver::populate(uint64_t /*offset*/, uint64_t /*bytes*/) {
    return false;
}

Status BlockDriver::truncate(uint64_t /*size*/, PreallocMode /*mode*/) {
    return Status::error(ENOTSUP, "Image format driver does not support resize");
}

Result<BlockExtent> BlockDriver::block_status(uint64_t /*offset*/, uint64_t bytes, bool /*want_zero*/) {
    return BlockExtent{bytes, true, false};
}

Result<uint64_t> BlockDriver::zone_report(uint64_t /*offset*/, uint64_t /*count*/, const ZoneVisitor& /*visit*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::zone_mgmt(ZoneOp /*op*/, uint64_t /*offset*/, uint64_t /*bytes*/) {
    return Status::from_errno(ENOTSUP);
}

Result<uint64_t> BlockDriver::zone_append(uint64_t /*offset*/, const IoVec& /*iov*/, WriteFlags /*flags*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::set_zone_condition(uint64_t /*offset*/, uint64_t /*bytes*/, ZoneState /*state*/) {
    return Status::from_errno(ENOTSUP);
}

std::optional<FdIo> BlockDriver::native_io(Request& /*request*/, uint64_t /*offset*/) {
    return std::nullopt;
}

Result<std::unique_ptr<PendingReopen>> BlockDriver::prepare_reopen(Options& /*options*/, const NodeFlags& /*flags*/) {
    return std::unique_ptr<PendingReopen>();
}

Status BlockDriver::debug_breakpoint(std::string_view /*event*/, std::string_view /*tag*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::debug_remove_breakpoint(std::string_view /*tag*/) {
    return Status::from_errno(ENOTSUP);
}

Status BlockDriver::debug_resume(std::string_view /*tag*/) {
    return Status::from_errno(ENOTSUP);
}

Status truncate_device(uint64_t size, PreallocMode mode, const Result<uint64_t>& length) {
    if (mode != PreallocMode::off) {
        return Status::error(ENOTSUP, fmt::format("Preallocation mode '{}' unsupported for this non-regular file",
                                                  word_for(prealloc_mode_words, mode)));
    }
    if (!length.ok()) {
        return length.status();
    }
    return size > *length ? Status::error(EINVAL, "Cannot grow device files") : Status();
}

} // namespace zoneio
