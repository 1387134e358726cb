// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/log/check_program.h"

#include "block/host/shell_process.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Most bytes kept of a program's output. The end is kept, because it has the error.
constexpr off_t most_said = 4096;

} // namespace

std::string CheckProgram::take_output() {
    const off_t end = lseek(output_.get(), 0, SEEK_END);
    const off_t begin = std::max<off_t>(end - most_said, 0);
    std::string said(static_cast<size_t>(std::max<off_t>(end - begin, 0)), '\0');
    const ssize_t got = pread(output_.get(), said.data(), said.size(), begin);
    said.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return said;
}

Result<CheckProgram::Answer> CheckProgram::run(const std::vector<std::string>& variables) {
    if (!output_.valid()) {
        output_ = FileDescriptor(memfd_create("said", MFD_CLOEXEC));
        nothing_ = FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    if (!output_.valid() || !nothing_.valid() || ftruncate(output_.get(), 0) < 0 || lseek(output_.get(), 0, SEEK_SET) < 0) {
        return Status::from_errno(errno);
    }
    const ShellProcess process{.command = command_, .input = nothing_.get(), .output = output_.get(), .variables = variables};
    const pid_t child = TRY(process.start());
    const int status = TRY(ShellProcess::wait(child));
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
