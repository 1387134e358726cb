// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/history.h"

#include "shell/terminal/readline.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_set>
#include <vector>

namespace zoneio {

namespace {

constexpr int most_lines = 10000;
constexpr size_t longest_line = 4096;
constexpr off_t largest_file = 64 << 20;

/// Creates a folder and the folders above it, inside a folder of this user.
bool make_folder(const std::string& path) {
    struct stat st{};
    if (stat(path.c_str(), &st) == 0) {
        return S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    }
    const size_t slash = path.rfind('/');
    const bool has_parent = slash != std::string::npos && slash > 0;
    return has_parent && make_folder(path.substr(0, slash)) && (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
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

/// Opens the history file and creates it if needed. Invalid if no file is to be used.
FileDescriptor open_file() {
    const std::optional<std::string> folder = state_folder();
    if (!folder || !make_folder(*folder)) {
        return FileDescriptor();
    }
    const std::string path = *folder + "/history";
    FileDescriptor file(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat st{};
    const bool is_ours = file.valid() && fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
                         st.st_size <= largest_file;
    const bool is_private = is_ours && ((st.st_mode & 077U) == 0 || fchmod(file.get(), 0600) == 0);
    return is_private ? std::move(file) : FileDescriptor();
}

std::string read_all(int fd) {
    std::string text;
    char piece[65536];
    ssize_t got = 0;
    while ((got = pread(fd, piece, sizeof piece, static_cast<off_t>(text.size()))) > 0) {
        text.append(piece, static_cast<size_t>(got));
    }
    return text;
}

/// True if the last line has no end, after a full disk or a kill: a new line would be appended to it.
bool ends_within_line(int fd) {
    struct stat st{};
    char last = '\n';
    return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/// The last lines, without duplicates; of equal lines the last one is kept.
std::vector<std::string_view> last_of_each(std::string_view text) {
    std::vector<std::string_view> lines;
    std::unordered_set<std::string_view> seen;
    while (!text.empty() && lines.size() < most_lines) {
        const size_t newline = text.rfind('\n');
        const std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
        if (!line.empty() && seen.insert(line).second) {
            lines.push_back(line);
        }
        text = text.substr(0, newline == std::string_view::npos ? 0 : newline);
    }
    return {lines.rbegin(), lines.rend()};
}

/// Replaces the content of the file. Not a new file, because other sessions have this one open.
void rewrite(int fd, const std::string& text) {
    const int flags = fcntl(fd, F_GETFL);
    if (fcntl(fd, F_SETFL, flags & ~O_APPEND) == 0) {
        if (pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
            (void)!ftruncate(fd, static_cast<off_t>(text.size()));
        }
        (void)fcntl(fd, F_SETFL, flags);
    }
}

} // namespace

History::History() : file_(open_file()) {
    readline().using_history();
    readline().stifle_history(most_lines);
    if (!file_.valid()) {
        return;
    }
    const bool locked = flock(file_.get(), LOCK_EX) == 0;
    const std::string text = read_all(file_.get());
    std::string kept;
    for (const std::string_view line : last_of_each(text)) {
        readline().add_history(std::string(line).c_str());
        kept.append(line) += '\n';
    }
    if (locked && kept.size() < text.size()) {
        rewrite(file_.get(), kept);
    }
    (void)flock(file_.get(), LOCK_UN);
}

void History::add(const std::string& line) {
    const bool is_blank = line.find_first_not_of(' ') == std::string::npos;
    if (is_blank || line[0] == ' ' || line == last_ || line.size() > longest_line) {
        return;
    }
    last_ = line;
    for (int i = *readline().history_length - 1; i >= 0; i--) {
        if (line == readline().history_get(*readline().history_base + i)->line) {
            readline().free_history_entry(readline().remove_history(i));
        }
    }
    readline().add_history(line.c_str());
    if (file_.valid() && flock(file_.get(), LOCK_EX) == 0) {
        const std::string text = (ends_within_line(file_.get()) ? "\n" : "") + line + '\n';
        (void)!write(file_.get(), text.data(), text.size());
        (void)flock(file_.get(), LOCK_UN);
    }
}

} // namespace zoneio
