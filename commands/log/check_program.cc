// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/log/check_program.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// So much of what a program said is kept: why it complained stands at the end.
constexpr off_t most_said = 4096;

/// The environment with some variables set anew.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; entry++) {
        const std::string_view text = *entry;
        const bool is_replaced = std::any_of(variables.begin(), variables.end(), [&](const auto& variable) {
            return text.starts_with(variable.first) && text.substr(variable.first.size()).starts_with('=');
        });
        if (!is_replaced) {
            all.emplace_back(text);
        }
    }
    for (const auto& [name, value] : variables) {
        all.push_back(fmt::format("{}={}", name, value));
    }
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

Result<pid_t> spawn(std::vector<std::string> words, std::vector<std::string> environment, int output) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // What main() blocks and ignores is nothing that other programs expect.
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGINT, SIGQUIT}) {
        sigaddset(&defaults, number);
    }
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    pid_t child = -1;
    const int error = posix_spawn(&child, "/bin/sh", &actions, &attributes, pointers_to(words).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error != 0 ? Result<pid_t>(Status::from_errno(error)) : Result<pid_t>(child);
}

} // namespace

std::string CheckProgram::take_output() {
    const off_t end = lseek(output_.get(), 0, SEEK_END);
    const off_t begin = std::max<off_t>(end - most_said, 0);
    std::string said(static_cast<size_t>(std::max<off_t>(end - begin, 0)), '\0');
    const ssize_t got = pread(output_.get(), said.data(), said.size(), begin);
    said.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return said;
}

Result<CheckProgram::Answer> CheckProgram::run(const std::vector<std::pair<std::string, std::string>>& variables) {
    if (!output_.valid()) {
        output_ = FileDescriptor(memfd_create("said", MFD_CLOEXEC));
    }
    if (!output_.valid() || ftruncate(output_.get(), 0) < 0 || lseek(output_.get(), 0, SEEK_SET) < 0) {
        return Status::from_errno(errno);
    }
    const Result<pid_t> child = spawn({"sh", "-c", command_}, environment_with(variables), output_.get());
    if (!child.ok()) {
        return Status::error(child.status().code(), fmt::format("can't run /bin/sh: {}", child.status().message()));
    }
    int status = 0;
    while (waitpid(*child, &status, 0) < 0) {
        if (errno != EINTR) {
            return Status::from_errno(errno);
        }
    }
    Answer answer;
    answer.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    answer.said = take_output();
    if (answer.status == 126 || answer.status == 127) {
        std::string said = answer.said.substr(0, answer.said.find('\n'));
        return Status::error(ENOEXEC, fmt::format("the command could not be run: {}", said));
    }
    return answer;
}

} // namespace zoneio
