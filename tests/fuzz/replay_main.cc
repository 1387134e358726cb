// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs a target on files and on all files of folders: earlier findings, and the corpus. Needs no fuzzer.
#include "fuzz_target.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& path) {
    std::vector<fs::path> files;
    if (!fs::exists(path)) {
        return {}; // this target has no findings yet
    }
    if (!fs::is_directory(path)) {
        return {fs::absolute(path)};
    }
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
        if (entry.is_regular_file()) {
            files.push_back(fs::absolute(entry.path()));
        }
    }
    return files;
}

} // namespace

int main(int argc, char** argv) {
    const zoneio::fuzz::Target& target = zoneio::fuzz::chosen_target();
    std::vector<fs::path> files;
    for (int i = 1; i < argc; i++) {
        for (fs::path& file : files_of(argv[i])) {
            files.push_back(std::move(file));
        }
    }
    for (const fs::path& file : files) {
        std::ifstream stream(file, std::ios::binary);
        const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
        // Printed before the run, so that a crash can be assigned to a file.
        fprintf(stderr, "%s\n", file.c_str());
        target.run(bytes);
    }
    fprintf(stderr, "%zu inputs\n", files.size());
    return files.empty() ? 2 : 0;
}
