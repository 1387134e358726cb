// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdio>

namespace zoneio {

/// Discards everything written to stdout while it exists, with the same buffering.
class Quiet {
public:
    Quiet() { stdout = null_; }
    ~Quiet() {
        stdout = before_;
        fclose(null_);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

private:
    FILE* before_ = stdout;
    FILE* null_ = fopen("/dev/null", "w");
};

} // namespace zoneio
