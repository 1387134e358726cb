// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/chain/open.h"

namespace zoneio {

/// Opens an image, read-only unless its options say otherwise, and puts a temporary overlay above it that takes the
/// writes.
Result<std::unique_ptr<BlockNode>> open_snapshot(ImageSpec spec, std::vector<Notice>& notices);

} // namespace zoneio
