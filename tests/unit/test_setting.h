// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>

namespace zoneio::testing {

/// A setting of a random test, such as its length or seed, from the environment; `fallback` if it is not set.
inline unsigned long setting(const char* name, unsigned long fallback) {
    const char* const text = getenv(name);
    return text != nullptr ? strtoul(text, nullptr, 0) : fallback;
}

} // namespace zoneio::testing
