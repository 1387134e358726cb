// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/history.h"

#include "shell/readline.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr int most_lines = 10000;

/// Makes a folder and those above it, for the user alone. Not below a folder of somebody else: sudo may leave $HOME
/// that of another user.
bool make_folder(const std::string& path) {
    struct stat st{};
    if (stat(path.c_str(), &st) == 0) {
        return S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    }
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash > 0 && !make_folder(path.substr(0, slash))) {
        return false;
    }
    return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

bool is_own(const std::string& path) {
    struct stat st{};
    return lstat(path.c_str(), &st) == 0 && st.st_uid == geteuid() && !S_ISLNK(st.st_mode);
}

std::optional<std::string> state_folder() {
    if (const char* state = getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/') {
        return std::string(state) + "/zoneio";
    }
    if (const char* home = getenv("HOME"); home != nullptr && home[0] == '/') {
        return std::string(home) + "/.local/state/zoneio";
    }
    return std::nullopt;
}

/// The file, made when it is missing; nothing where none is to be used.
std::optional<std::string> history_file() {
    const std::optional<std::string> folder = state_folder();
    if (!folder || !make_folder(*folder) || !is_own(*folder)) {
        return std::nullopt;
    }
    std::string path = *folder + "/history";
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return std::nullopt;
    }
    close(fd);
    return is_own(path) ? std::optional(std::move(path)) : std::nullopt;
}

} // namespace

History::History() : path_(history_file()) {
    readline().using_history();
    readline().stifle_history(most_lines);
    if (path_) {
        (void)readline().read_history(path_->c_str());
    }
}

void History::add(const std::string& line) {
    if (line.find_first_not_of(' ') == std::string::npos || line == last_) {
        return;
    }
    last_ = line;
    readline().add_history(line.c_str());
    if (path_ && readline().append_history(1, path_->c_str()) == 0) {
        (void)readline().history_truncate_file(path_->c_str(), most_lines);
    }
}

} // namespace zoneio
