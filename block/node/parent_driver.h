// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/driver.h"
#include "block/node/node.h"

namespace zoneio {

/// A driver with a node below it. Passes requests that concern the whole chain to that node.
class ParentDriver : public BlockDriver {
public:
    BlockNode* child() const override { return child_.get(); }
    Status set_permissions(const Permissions& permissions) override;
    void drain(bool on) override;

protected:
    /// Takes the child, and copies the traits that hold for the whole chain.
    void adopt(std::unique_ptr<BlockNode> child);

    std::unique_ptr<BlockNode> child_; ///< may be null
};

} // namespace zoneio
