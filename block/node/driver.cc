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

Status BlockDriver::truncate(uint64_t /*size*/, PreallocMode /*mode*/) {
    return Status::error(ENOTSUP, "Image format driver does not support resize");
}

Result<BlockExtent> BlockDriver::block_status(uint64_t /*offset*/, uint64_t bytes, bool /*want_zero*/) {
    return BlockExtent{bytes, true, false};
}

Result<std::unique_ptr<PendingReopen>> BlockDriver::prepare_reopen(Options& /*options*/, const NodeFlags& /*flags*/) {
    return std::unique_ptr<PendingReopen>();
}

Status truncate_device(uint64_t size, PreallocMode mode, const Result<uint64_t>& length) {
    if (mode != PreallocMode::off) {
        return Status::error(ENOTSUP, fmt::format("Preallocation mode '{}' unsupported for this non-regular file",
                                                  word_for(prealloc_mode_words, mode)));
    }
    if (!length.ok()) {
        return length.status();
    }
    return size > *length ? Status::invalid("Cannot grow device files") : Status();
}

} // namespace zoneio
