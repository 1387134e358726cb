// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace zoneio {

struct ProcessName {
    long id;
    std::string name; ///< the kernel's name, at most 15 characters
};

/// Other processes that have a file open, as far as /proc shows them; only root sees those of other users. The kernel
/// does not tell who holds an open file description lock, so this is the best approximation.
std::vector<ProcessName> processes_with(const std::string& filename);

} // namespace zoneio
