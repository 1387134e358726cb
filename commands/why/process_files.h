// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

struct ProcessName {
    long id;
    std::string name; ///< as the kernel knows it, at most 15 characters
};

/// The other processes that have a file open, as far as /proc shows them: those of other users only to root. The kernel
/// does not tell whose an open-file-description lock is, so this is as near as one comes.
std::vector<ProcessName> processes_with(const std::string& filename);

} // namespace zoneio
