// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/open.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

/// Planned change of one node.
struct NodeChange {
    BlockNode* node;
    NodeFlags flags;
    Options options;
    std::unique_ptr<PendingReopen> pending;
};

Status cannot_change(const std::string& key) {
    return Status::invalid(fmt::format("Cannot change the option '{}'", key));
}

/// EINVAL if options replace the child or the backing file by a named node.
Status refuse_references(const Options& options) {
    for (const char* key : {"backing", "file"}) {
        if (const std::string* name = options.find_text(key)) {
            return Status::invalid(fmt::format("Cannot find device='' nor node-name='{}'", *name));
        }
    }
    return {};
}

/// EINVAL if an option left in `options` differs from the value with which the node was opened.
Status refuse_changes(const BlockNode& node, Options options) {
    options.prefer_last();
    while (const std::optional<std::string> key = options.first_unknown()) {
        const std::optional<std::string> wanted = option_text(*options.find(*key));
        std::optional<std::string> current;
        if (*key == "driver") {
            current = node.info().name;
        } else if (*key == "node-name") {
            current = node.name();
        } else if (*key == "filename") {
            current = node.info().needs_filename ? std::optional(node.filename()) : std::nullopt;
        } else if (const OptionValue* opened_with = node.options().find(*key)) {
            current = option_text(*opened_with);
        }
        if (wanted != current) {
            return cannot_change(*key);
        }
        options.erase(std::string(*key));
    }
    return {};
}

/// Prepares the change of one node. `changes`: the options for this node only.
Result<NodeChange> prepare_node(BlockNode& node, Options changes, NodeFlags base) {
    NodeChange change{&node, base, {}, nullptr};
    const Options asked = changes;
    changes.merge_missing(node.options());
    change.options = changes;
    const OptionValue* const found = changes.find("force-share");
    const std::optional<OptionValue> force_share = found != nullptr ? std::optional(*found) : std::nullopt;
    TRY(take_access_options(changes, change.flags));
    TRY(take_data_options(changes, change.flags));
    if (node.flags().copy_on_read && change.flags.read_only) {
        return Status::invalid(fmt::format("Can't set node '{}' to r/o with copy-on-read enabled", node.name()));
    }
    change.flags.force_share = node.flags().force_share;
    if (force_share) {
        // Cannot change, so it is compared with the old value like every other option.
        changes.set("force-share", *force_share);
    }
    if (!node.driver().traits().can_reopen) {
        return Status::error(ENOTSUP, fmt::format("Block format '{}' used by node '{}' does not support reopening files",
                                                  node.info().name, node.name()));
    }
    Result<std::unique_ptr<PendingReopen>> pending = node.driver().prepare_reopen(changes, change.flags);
    // QEMU opens files after it has looked at the options.
    const bool is_late = !pending.ok() && pending.status().cause() == Cause::overlay_unnamed;
    if (!pending.ok() && !is_late) {
        return std::move(pending).status();
    }
    TRY(refuse_references(asked));
    TRY(refuse_changes(node, std::move(changes)));
    if (is_late) {
        return std::move(pending).status();
    }
    change.pending = std::move(*pending);
    return change;
}

Status check_writers(const NodeChange& change) {
    const bool written = (change.node->permissions().taken & Permissions::write) != 0;
    if (written && change.flags.read_only) {
        return Status::error(EPERM, fmt::format("Read-only block node '{}' cannot support read-write users",
                                                change.node->name()));
    }
    return change.node->check_whole_blocks(change.node->permissions());
}

/// Prepares the changes of all nodes of a chain.
Result<std::vector<NodeChange>> prepare_chain(BlockNode& root, Options options, const NodeFlags& root_flags) {
    std::vector<NodeChange> changes;
    NodeFlags flags = root_flags;
    for (BlockNode* node = &root; node != nullptr; node = node->driver().child()) {
        const std::string_view child_key = node->info().own_child.empty() ? "file" : node->info().own_child;
        Options below = node->driver().child() != nullptr ? options.take_subtree(child_key) : Options();
        changes.push_back(TRY(prepare_node(*node, std::move(options), flags)));
        flags = inherited_flags(changes.back().flags);
        options = std::move(below);
    }
    for (const NodeChange& change : changes) {
        TRY(check_writers(change));
    }
    return changes;
}

} // namespace

Status check_reopen(BlockNode& root, Options options, const NodeFlags& root_flags) {
    return prepare_chain(root, std::move(options), root_flags).status();
}

Status reopen_image(BlockNode& root, Options options, const NodeFlags& root_flags) {
    TRY(root.flush().prefixed("Error flushing drive: "));
    std::vector<NodeChange> changes = TRY(prepare_chain(root, std::move(options), root_flags));
    for (NodeChange& change : changes) {
        if (change.pending) {
            change.pending->commit();
        }
        change.node->set_flags(change.flags);
        change.node->set_options(std::move(change.options));
        change.node->take_over_unflushed();
    }
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        change->node->driver().refresh();
    }
    return {};
}

} // namespace zoneio
