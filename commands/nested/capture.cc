// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/nested/capture.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace zoneio {

namespace {

int copy_of(int fd) {
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

} // namespace

OutputCapture::OutputCapture() {
    fflush(stdout);
    file_ = FileDescriptor(memfd_create("output", MFD_CLOEXEC));
    stdout_ = FileDescriptor(copy_of(STDOUT_FILENO));
    stderr_ = FileDescriptor(copy_of(STDERR_FILENO));
    // Both descriptors append, so that neither overwrites the other's output.
    const bool is_ready = file_.valid() && stdout_.valid() && stderr_.valid() && fcntl(file_.get(), F_SETFL, O_APPEND) == 0;
    if (!is_ready || dup2(file_.get(), STDOUT_FILENO) < 0 || dup2(file_.get(), STDERR_FILENO) < 0) {
        status_ = Status::from_errno(errno);
        restore();
    }
}

OutputCapture::~OutputCapture() {
    restore();
}

void OutputCapture::restore() {
    fflush(stdout);
    if (stdout_.valid()) {
        (void)dup2(stdout_.get(), STDOUT_FILENO);
    }
    if (stderr_.valid()) {
        (void)dup2(stderr_.get(), STDERR_FILENO);
    }
    stdout_ = FileDescriptor();
    stderr_ = FileDescriptor();
}

void OutputCapture::finish(const std::function<bool(std::string_view line)>& visit) {
    restore();
    const int again = file_.valid() ? copy_of(file_.get()) : -1;
    FILE* const file = again >= 0 ? fdopen(again, "r") : nullptr;
    if (file == nullptr) {
        return;
    }
    rewind(file);
    char* line = nullptr;
    size_t room = 0;
    ssize_t length = 0;
    bool goes_on = true;
    while (goes_on && (length = getline(&line, &room, file)) > 0) {
        std::string_view text(line, static_cast<size_t>(length));
        if (text.ends_with('\n')) {
            text.remove_suffix(1);
        }
        goes_on = visit(text);
    }
    free(line);
    fclose(file);
}

} // namespace zoneio
