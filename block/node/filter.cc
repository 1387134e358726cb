// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/filter.h"

namespace zoneio {

void ParentDriver::adopt(std::unique_ptr<BlockNode> child) {
    const Traits& below = child->driver().traits();
    traits_.aio = below.aio;
    traits_.has_fua = below.has_fua;
    traits_.completes_at_once = below.completes_at_once;
    child_ = std::move(child);
}

Status ParentDriver::set_permissions(const Permissions& permissions) {
    return child_ ? child_->set_permissions(permissions) : Status();
}

void ParentDriver::drain(bool on) {
    if (child_) {
        child_->driver().drain(on);
    }
}

} // namespace zoneio
