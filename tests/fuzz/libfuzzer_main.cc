// SPDX-License-Identifier: GPL-3.0-or-later
//
// The entry point of libFuzzer.
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const zoneio::fuzz::Target& target = zoneio::fuzz::chosen_target();
    target.run({data, size});
    return 0;
}
