// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"

namespace zoneio {

/// A driver with a node below it: what is asked of the whole chain is passed down.
class ParentDriver : public BlockDriver {
public:
    BlockNode* child() const override { return child_.get(); }
    AioMode aio_mode() const override;
    Status set_permissions(const Permissions& permissions) override;
    void drain(bool on) override;
    bool completes_at_once() const override;

    bool has_breakpoints() const override;
    Status debug_breakpoint(std::string_view event, std::string_view tag) override;
    Status debug_remove_breakpoint(std::string_view tag) override;
    Status debug_resume(std::string_view tag) override;
    bool debug_is_suspended(std::string_view tag) override;
    std::vector<std::string> debug_tags(bool held) override;
    std::optional<std::string> debug_release(const Task* task) override;

protected:
    std::unique_ptr<BlockNode> child_; ///< may be null
};

} // namespace zoneio
