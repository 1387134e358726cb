// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `copy-on-read`: a read copies data from the node below its child into the child.
#include "block/node/driver_rows.h"
#include "block/node/filter.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr std::string_view copy_on_read_keys[] = {"file", "bottom"};

/// Checks the option `bottom`. Without backing files, it can only name the first node that is not a filter.
Status check_bottom(const BlockNode& child, const std::string& bottom) {
    const BlockNode* node = &child;
    while (node->name() != bottom && node->info().is_filter && node->child() != nullptr) {
        node = node->child();
    }
    if (node->name() != bottom) {
        return Status::invalid(fmt::format("Bottom node '{}' not found", bottom));
    }
    return node->info().is_filter ? Status::invalid(fmt::format("Bottom node '{}' is a filter", bottom)) : Status();
}

/// Error unless this node and all nodes below it can be written.
Status check_writable(BlockNode& child) {
    for (const BlockNode* node = &child; node != nullptr; node = node->child()) {
        if (node->flags().read_only) {
            return Status::error(EPERM, "Block node is read-only").because(Cause::read_only_node);
        }
        TRY(node == &child ? child.check_whole_blocks({.taken = Permissions::write}) : Status());
    }
    return {};
}

class CopyOnRead final : public FilterDriver {
public:
    CopyOnRead() { traits_.can_reopen = false; }

    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        if (context.child == nullptr) {
            return missing_child();
        }
        if (context.flags.read_only) {
            return Status::error(EPERM, "Block node is read-only").because(Cause::read_only_node);
        }
        TRY(check_writable(*context.child));
        if (const std::string* const bottom = options.find_text("bottom")) {
            TRY(check_bottom(*context.child, *bottom));
            options.erase("bottom");
        }
        context.child->copy_on_read();
        auto driver = std::make_unique<CopyOnRead>();
        driver->adopt(std::move(context.child));
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    /// The copies are written to the child even if nobody writes to this node.
    Status set_permissions(const Permissions& permissions) override {
        Permissions wanted = permissions;
        wanted.taken |= Permissions::write_unchanged;
        return child_->set_permissions(wanted);
    }
};

} // namespace

const DriverInfo copy_on_read_driver{.name = "copy-on-read",
                                     .is_protocol = false,
                                     .needs_filename = false,
                                     .parse_filename = nullptr,
                                     .open = CopyOnRead::create,
                                     .option_keys = copy_on_read_keys,
                                     .is_filter = true};

} // namespace zoneio
