// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>

namespace zoneio::testing {

/// How long or with which seed a random test runs: a number of the environment, for long runs.
inline unsigned long setting(const char* name, unsigned long fallback) {
    const char* const text = getenv(name);
    return text != nullptr ? strtoul(text, nullptr, 0) : fallback;
}

} // namespace zoneio::testing
