// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/open_context.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zoneio {

/// What is to be opened, and how.
struct ImageSpec {
    std::optional<std::string> filename;
    Options options;
    NodeFlags flags; ///< defaults; options win
    AioMode aio = AioMode::threads;
    bool snapshot = false; ///< the image is not written; changes go to a temporary overlay
    WriteGuard write_guard; ///< empty: everything may be written
};

/// Opens a chain of nodes from the top down to the protocol that holds the data; without the overlay of `snapshot`.
Result<std::unique_ptr<BlockNode>> open_image(ImageSpec spec, std::vector<Notice>& notices);

/// Applies changed options (dotted keys) to an open chain, all of them or, on an error, none.
/// What options say wins over `root_flags`, the new settings of the root node.
Status reopen_image(BlockNode& root, Options options, const NodeFlags& root_flags);

/// What reopen_image() would answer, flushing aside. Nothing is changed.
Status check_reopen(BlockNode& root, Options options, const NodeFlags& root_flags);

/// What a file name stands for, as `open` takes it: the options of `json:{...}`, else `driver` and `filename`.
Result<Options> options_of_name(const std::string& filename);

/// From now on what differs from run to run is shown as QEMU's test suites show it: nodes without a name as NODE_NAME,
/// temporary files as vl.XXXXXX.
void use_fixed_names();
bool has_fixed_names();

/// A name for a node that was given none. No other node has it, unless names are fixed.
std::string generated_node_name();

/// What a node passes on to the one below. Discards do not stop on the way: the node above decided.
NodeFlags inherited_flags(const NodeFlags& parent);

/// Takes read-only, cache.*, force-share and auto-read-only out of options.
Status take_access_options(Options& options, NodeFlags& flags);
/// Takes discard and detect-zeroes out of options.
Status take_data_options(Options& options, NodeFlags& flags);

} // namespace zoneio
