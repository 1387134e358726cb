// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/shell_process.h"

#include "block/base/file_descriptor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {

namespace {

std::string_view name_in(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; entry++) {
        const std::string_view name = name_in(*entry);
        if (std::none_of(variables.begin(), variables.end(), [&](const std::string& own) { return name_in(own) == name; })) {
            all.emplace_back(*entry);
        }
    }
    all.insert(all.end(), variables.begin(), variables.end());
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

Result<pid_t> ShellProcess::start() const {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Other programs do not expect the signals that main() blocks and ignores.
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
    if (input >= 0) {
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    }
    if (output >= 0) {
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    }
    std::vector<std::string> words{shell};
    if (!command.empty()) {
        words.insert(words.end(), {"-c", command});
    }
    std::vector<std::string> environment = environment_with(variables);
    pid_t process = -1;
    const int error = posix_spawn(&process, shell.c_str(), &actions, &attributes, pointers_to(words).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return Status::error(error, fmt::format("can't run {}: {}", shell, Status::from_errno(error).message()));
    }
    return process;
}

Result<int> ShellProcess::wait(pid_t process) {
    int status = 0;
    if (uninterrupted([&] { return waitpid(process, &status, 0); }) < 0) {
        return Status::from_errno(errno);
    }
    return status;
}

} // namespace zoneio
