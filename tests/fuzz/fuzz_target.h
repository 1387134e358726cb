// SPDX-License-Identifier: GPL-3.0-or-later
//
// What fuzz targets share. A target is a function of some bytes that must return, whatever they are: crashes, leaks,
// undefined behaviour, too much time or memory, and broken promises (check()) are findings.
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

/// The target that the environment variable FUZZ_TARGET names; ends the program when there is none.
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

/// Ends the program as a crash does, after saying what did not hold.
void check(bool holds, const char* what);

inline std::string_view text_of(Input input) {
    return {reinterpret_cast<const char*>(input.data()), input.size()};
}

/// A new folder, made at the first call and current from then on: the only place whose files can be opened (see
/// sandbox.cc). Files are at most 128 MiB long. It is removed when the program ends.
const std::string& scratch_folder();

/// Thrown where a target prints more than anybody reads.
struct OutputLimit {};
/// How much may be printed from now on, bytes.
void limit_output(uint64_t bytes);

} // namespace zoneio::fuzz
