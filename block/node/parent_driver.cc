// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/parent_driver.h"

namespace zoneio {

AioMode ParentDriver::aio_mode() const {
    return child_ ? child_->driver().aio_mode() : AioMode::threads;
}

Status ParentDriver::set_permissions(const Permissions& permissions) {
    return child_ ? child_->set_permissions(permissions) : Status();
}

void ParentDriver::drain(bool on) {
    if (child_) {
        child_->driver().drain(on);
    }
}

Status ParentDriver::debug_breakpoint(std::string_view event, std::string_view tag) {
    return child_ ? child_->driver().debug_breakpoint(event, tag) : Status::from_errno(ENOTSUP);
}

Status ParentDriver::debug_remove_breakpoint(std::string_view tag) {
    return child_ ? child_->driver().debug_remove_breakpoint(tag) : Status::from_errno(ENOTSUP);
}

Status ParentDriver::debug_resume(std::string_view tag) {
    return child_ ? child_->driver().debug_resume(tag) : Status::from_errno(ENOTSUP);
}

std::vector<std::string> ParentDriver::debug_tags(bool held) {
    return child_ ? child_->driver().debug_tags(held) : std::vector<std::string>();
}

bool ParentDriver::debug_is_suspended(std::string_view tag) {
    return child_ && child_->driver().debug_is_suspended(tag);
}

std::optional<std::string> ParentDriver::debug_release(const Task* task) {
    return child_ ? child_->driver().debug_release(task) : std::nullopt;
}

bool ParentDriver::has_breakpoints() const {
    return child_ && child_->driver().has_breakpoints();
}

bool ParentDriver::completes_at_once() const {
    return child_ && child_->driver().completes_at_once();
}

} // namespace zoneio
