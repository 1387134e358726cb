// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

/// A message to the user about a problem that does not stop the operation.
struct Notice {
    bool is_warning; ///< printed after `PROGRAM: warning: `
    std::string text;
};

/// Keeps a message from a driver until BlockBackend::take_notices(). May be called on any thread.
void add_late_notice(Notice notice);
bool has_late_notices();
std::vector<Notice> take_late_notices();

} // namespace zoneio
