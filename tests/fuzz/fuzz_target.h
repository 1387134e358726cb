// SPDX-License-Identifier: GPL-3.0-or-later
//
// Common part of the fuzz targets. A target is a function that must return for every input. Crashes, leaks, undefined
// behaviour, too much time or memory, and failed check() calls are findings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace zoneio::fuzz {

using Input = std::span<const uint8_t>;

struct Target {
    std::string_view name;
    void (*run)(Input input);
};

/// All targets.
std::span<const Target> targets();

/// The target that the environment variable FUZZ_TARGET names. Ends the program if there is none.
const Target& chosen_target();

void run_numbers(Input input);
void run_options(Input input);
void run_json(Input input);
void run_probe(Input input);
void run_sysfs(Input input);
void run_arguments(Input input);
void run_image_name(Input input);
void run_session(Input input);
void run_blkdebug(Input input);
void run_zoned_file(Input input);
void run_vhost_user(Input input);
void run_vring(Input input);

/// Prints `what` and ends the program like a crash, unless `holds`.
void check(bool holds, const char* what);

inline std::string_view text_of(Input input) {
    return {reinterpret_cast<const char*>(input.data()), input.size()};
}

/// A new folder, created at the first call and made the current one. Only files in it can be opened (see sandbox.cc),
/// up to 128 MiB long. It is removed when the program ends.
const std::string& scratch_folder();

/// Thrown if a target prints too much.
struct OutputLimit {};
/// Limits the output from now on, in bytes.
void limit_output(uint64_t bytes);

} // namespace zoneio::fuzz
