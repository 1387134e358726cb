// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/driver.h"

#include "block/node/mode_words.h"
#include "block/node/node.h"

#include <fmt/format.h>

namespace zoneio {

BlockDriver::BlockDriver() = default;
BlockDriver::~BlockDriver() = default;
OpenContext::OpenContext() = default;
OpenContext::~OpenContext() = default;

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

AioMode BlockDriver::aio_mode() const {
    return child_ ? child_->driver().aio_mode() : AioMode::threads;
}

Status BlockDriver::set_permissions(const Permissions& permissions) {
    return child_ ? child_->set_permissions(permissions) : Status();
}

Result<std::unique_ptr<PendingReopen>> BlockDriver::prepare_reopen(Options& /*options*/, const NodeFlags& /*flags*/) {
    return std::unique_ptr<PendingReopen>();
}

void BlockDriver::drain(bool on) {
    if (child_) {
        child_->driver().drain(on);
    }
}

Status BlockDriver::debug_breakpoint(std::string_view event, std::string_view tag) {
    return child_ ? child_->driver().debug_breakpoint(event, tag) : Status::from_errno(ENOTSUP);
}

Status BlockDriver::debug_remove_breakpoint(std::string_view tag) {
    return child_ ? child_->driver().debug_remove_breakpoint(tag) : Status::from_errno(ENOTSUP);
}

Status BlockDriver::debug_resume(std::string_view tag) {
    return child_ ? child_->driver().debug_resume(tag) : Status::from_errno(ENOTSUP);
}

std::vector<std::string> BlockDriver::debug_tags(bool held) {
    return child_ ? child_->driver().debug_tags(held) : std::vector<std::string>();
}

bool BlockDriver::debug_is_suspended(std::string_view tag) {
    return child_ && child_->driver().debug_is_suspended(tag);
}

std::optional<std::string> BlockDriver::debug_release(const Task* task) {
    return child_ ? child_->driver().debug_release(task) : std::nullopt;
}

bool BlockDriver::has_breakpoints() const {
    return child_ && child_->driver().has_breakpoints();
}

void BlockDriver::debug_event(DebugEvent /*event*/) {}

bool BlockDriver::completes_at_once() const {
    return child_ && child_->driver().completes_at_once();
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
