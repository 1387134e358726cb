// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <string>

namespace zoneio {

/// From now on, SIGINT, SIGTERM and SIGHUP remove these files and then the folder before they end the program. Signals that are
/// ignored or handled stay so. One folder at a time; does nothing for a second one, and for paths longer than PATH_MAX.
void remove_at_signals(const std::string& folder, const std::array<std::string, 3>& files);
/// Ends that.
void keep_at_signals();
/// For signal handlers of others that end the program: removes the files and the folder, if there are any.
void remove_for_signal();

} // namespace zoneio
