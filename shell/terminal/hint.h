// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace zoneio {

/// The missing arguments, shown dimly after the line being edited.
///
/// A hint is shown only while the cursor is at the end of the line and no input is pending. It never wraps into another
/// row, and is removed before Enter is handled, so that only typed text stays on the screen. Without colours (see
/// may_colour()) there are no hints.
class LineHint {
public:
    /// Replaces Readline's redisplay function. `prompt`: the prompt before the line.
    static void install(const std::string& prompt);
    /// Removes the hint until the next redisplay. Call it before printing anything else.
    static void erase();

private:
    static void redisplay();
};

} // namespace zoneio
