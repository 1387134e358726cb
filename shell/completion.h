// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace zoneio {

/// Makes the Tab key complete command names, and file names behind them.
void install_completion();

} // namespace zoneio
