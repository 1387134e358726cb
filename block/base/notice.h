// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

/// Something to tell the user about what goes on nevertheless.
struct Notice {
    bool is_warning; ///< to be introduced by `PROGRAM: warning: `
    std::string text;
};

/// Keeps what a driver has to tell while requests are under way, until BlockBackend::take_notices(). From any thread.
void add_late_notice(Notice notice);
bool has_late_notices();
std::vector<Notice> take_late_notices();

} // namespace zoneio
