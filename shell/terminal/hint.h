// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace zoneio {

/// The arguments that are still to come, shown dimly behind a line that is being edited.
///
/// A hint is there only while the cursor is at the end of the line and nothing else is typed yet; it never wraps into
/// another row, and is gone before Enter is handled, so that the screen keeps nothing but what was typed. None appears
/// without colours (see may_colour()).
class LineHint {
public:
    /// Takes over Readline's redisplay. `prompt` is what the line stands behind.
    static void install(const std::string& prompt);
    /// Takes the hint off the screen; the next redisplay brings it back. To be called before anything else is shown.
    static void erase();

private:
    static void redisplay();
};

} // namespace zoneio
