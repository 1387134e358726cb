// SPDX-License-Identifier: GPL-3.0-or-later
//
// Protects the machine from fuzzed commands: dangerous calls are replaced at link time (--wrap). Only files in the
// scratch folder can be opened; sleeping, raising signals and endless output are prevented. Lines that would end the
// program are not run, neither by the target nor by a script.
#include "fuzz_target.h"

#include "commands/command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio::fuzz {

namespace {

constexpr rlim_t largest_file = 128U << 20;
uint64_t output_left = UINT64_MAX;

bool is_inside(const char* path) {
    const std::string_view name(path);
    const std::string& scratch = scratch_folder();
    return name.find('/') == std::string_view::npos || name.starts_with("/proc/self/fd/") ||
           name == "/proc/sys/kernel/random/boot_id" ||
           (name.starts_with(scratch) && name.find("..") == std::string_view::npos);
}

/// True for commands that end the program, as they should, or hold requests until they are resumed.
bool ends_program(std::string_view line) {
    const size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view word = line.substr(begin, line.find(' ', begin) - begin);
    // The last three run another command, any number of times.
    return word == "abort" || word == "sigraise" || word == "sleep" || word == "break" || word == "fails" || word == "expect" ||
           word == "watch";
}

} // namespace

const std::string& scratch_folder() {
    static const std::string folder = [] {
        const char* const temporary = getenv("TMPDIR");
        std::string name = std::string(temporary != nullptr ? temporary : "/tmp") + "/zoneio-fuzz-XXXXXX";
        if (mkdtemp(name.data()) == nullptr || chdir(name.c_str()) != 0) {
            perror(name.c_str());
            _exit(2);
        }
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{largest_file, largest_file};
        setrlimit(RLIMIT_FSIZE, &limit);
        static std::string to_remove;
        to_remove = name;
        atexit([] {
            std::error_code ignored;
            std::filesystem::remove_all(to_remove, ignored);
        });
        return name;
    }();
    return folder;
}

void limit_output(uint64_t bytes) {
    output_left = bytes;
}

} // namespace zoneio::fuzz

using zoneio::fuzz::is_inside;

extern "C" {

// zoneio::run_line(), which the prompt, the target and scripts call.
zoneio::Outcome __real__ZN6zoneio8run_lineERNS_7SessionEPc(zoneio::Session& session, char* line);

zoneio::Outcome __wrap__ZN6zoneio8run_lineERNS_7SessionEPc(zoneio::Session& session, char* line) {
    return zoneio::fuzz::ends_program(line) ? zoneio::Outcome::ok : __real__ZN6zoneio8run_lineERNS_7SessionEPc(session, line);
}

int __real_open(const char* path, int flags, ...);
FILE* __real_fopen(const char* path, const char* mode);
size_t __real_fwrite_unlocked(const void* data, size_t size, size_t count, FILE* stream);

int __wrap_open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (!is_inside(path)) {
        errno = EACCES;
        return -1;
    }
    return __real_open(path, flags | O_NOFOLLOW * (strncmp(path, "/proc", 5) != 0), mode);
}

FILE* __wrap_fopen(const char* path, const char* mode) {
    return is_inside(path) ? __real_fopen(path, mode) : (errno = EACCES, nullptr);
}

int __wrap_unlink(const char* path) {
    return is_inside(path) && path[0] != '/' ? unlinkat(AT_FDCWD, path, 0) : (errno = EACCES, -1);
}

int __wrap_nanosleep(const timespec* /*time*/, timespec* /*left*/) {
    return 0;
}

int __wrap_raise(int /*number*/) {
    return 0;
}

size_t __wrap_fwrite_unlocked(const void* data, size_t size, size_t count, FILE* stream) {
    const uint64_t bytes = size * count;
    if (bytes > zoneio::fuzz::output_left) {
        zoneio::fuzz::output_left = UINT64_MAX;
        throw zoneio::fuzz::OutputLimit();
    }
    zoneio::fuzz::output_left -= zoneio::fuzz::output_left == UINT64_MAX ? 0 : bytes;
    return __real_fwrite_unlocked(data, size, count, stream);
}

} // extern "C"
