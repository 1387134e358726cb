// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/open_context.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// What to open, and how.
struct ImageSpec {
    std::optional<std::string> filename = {};
    Options options = {};
    NodeFlags flags = {}; ///< defaults; options override them
    AioMode aio = AioMode::threads;
    bool snapshot = false; ///< changes go to a temporary overlay, the image is not written
    WriteGuard write_guard = {}; ///< empty: no check before opening for writing
};

/// Opens a chain of nodes down to the protocol that holds the data. Ignores `snapshot`.
Result<std::unique_ptr<BlockNode>> open_image(ImageSpec spec, std::vector<Notice>& notices);
/// Opens a file by the driver `file`, which has no notices. `options`: further options of the driver.
Result<std::unique_ptr<BlockNode>> open_file(const std::string& filename, Options options, const NodeFlags& flags,
                                             AioMode aio = AioMode::threads);

/// Applies changed options (dotted keys) to an open chain: all of them, or none after an error. Options override
/// `root_flags`, the new settings of the root node.
Status reopen_image(BlockNode& root, Options options, const NodeFlags& root_flags);

/// The status that reopen_image() would return, apart from errors of flushes. Changes nothing.
Status check_reopen(BlockNode& root, Options options, const NodeFlags& root_flags);

/// Options for a file name as `open` accepts it: those in `json:{...}`, otherwise `driver` and `filename`.
Result<Options> options_of_name(const std::string& filename);

/// Makes generated names constant, as in QEMU's test suites: NODE_NAME for nodes without a name, vl.XXXXXX for
/// temporary files.
void use_fixed_names();
bool has_fixed_names();

/// A name for a node that was opened without one. Unique, unless names are fixed.
std::string generated_node_name();

/// Flags that a node passes to its child. Discards are always passed on: the upper node has already decided about them.
NodeFlags inherited_flags(const NodeFlags& parent);

/// Takes read-only, cache.*, force-share and auto-read-only out of the options.
Status take_access_options(Options& options, NodeFlags& flags);
/// Takes discard and detect-zeroes out of the options.
Status take_data_options(Options& options, NodeFlags& flags);

} // namespace zoneio
