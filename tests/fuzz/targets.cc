// SPDX-License-Identifier: GPL-3.0-or-later
#include "fuzz_target.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace zoneio::fuzz {

std::span<const Target> targets() {
    static constexpr std::array table{
        Target{"arguments", run_arguments}, Target{"blkdebug", run_blkdebug}, Target{"image_name", run_image_name},
        Target{"json", run_json},           Target{"numbers", run_numbers},   Target{"options", run_options},
        Target{"probe", run_probe},         Target{"session", run_session},   Target{"sysfs", run_sysfs},
        Target{"vhost_user", run_vhost_user},
        Target{"vring", run_vring},         Target{"zoned_file", run_zoned_file},
    };
    return table;
}

const Target& chosen_target() {
    const char* const name = getenv("FUZZ_TARGET");
    for (const Target& target : targets()) {
        if (name != nullptr && target.name == name) {
            return target;
        }
    }
    fprintf(stderr, "FUZZ_TARGET has to be one of:");
    for (const Target& target : targets()) {
        fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
    }
    fprintf(stderr, "\n");
    exit(2);
}

void check(bool holds, const char* what) {
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

} // namespace zoneio::fuzz
