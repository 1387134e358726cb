// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/process_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

namespace fs = std::filesystem;

bool has_open(const fs::path& process, const struct stat& wanted) {
    std::error_code error;
    for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
        struct stat st{};
        if (stat(entry->path().c_str(), &st) == 0 && st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino) {
            return true;
        }
    }
    return false;
}

} // namespace

std::vector<ProcessName> processes_with(const std::string& filename) {
    std::vector<ProcessName> found;
    struct stat wanted{};
    if (stat(filename.c_str(), &wanted) != 0) {
        return found;
    }
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
        const long id = strtol(entry->path().filename().c_str(), nullptr, 10);
        if (id <= 0 || id == getpid() || !has_open(entry->path(), wanted)) {
            continue;
        }
        ProcessName process{id, ""};
        std::getline(std::ifstream(entry->path() / "comm"), process.name);
        found.push_back(std::move(process));
    }
    std::sort(found.begin(), found.end(), [](const ProcessName& a, const ProcessName& b) { return a.id < b.id; });
    return found;
}

} // namespace zoneio
