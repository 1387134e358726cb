// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/stdin_lines.h"

#include "commands/export/signals.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace zoneio {

StdinLines::~StdinLines() {
    if (begin_ < end_) {
        // Fails for pipes, which then keep what was read.
        (void)lseek(STDIN_FILENO, -static_cast<off_t>(end_ - begin_), SEEK_CUR);
    }
}

bool StdinLines::fill() {
    if (at_end_) {
        return false;
    }
    ssize_t got = 0;
    if (termination_fd() >= 0 && !wait_for_input(STDIN_FILENO)) {
        at_end_ = true;
        return false;
    }
    do {
        got = read(STDIN_FILENO, buffer_.data(), buffer_.size());
    } while (got < 0 && errno == EINTR);
    begin_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    at_end_ = end_ == 0;
    return !at_end_;
}

bool StdinLines::has_next() const {
    return memchr(buffer_.data() + begin_, '\n', end_ - begin_) != nullptr;
}

char* StdinLines::next() {
    size_t length = 0;
    while (length < longest_piece) {
        if (begin_ == end_ && !fill()) {
            break;
        }
        const size_t room = std::min(end_ - begin_, longest_piece - length);
        const char* const from = buffer_.data() + begin_;
        const auto* const newline = static_cast<const char*>(memchr(from, '\n', room));
        const size_t taken = newline != nullptr ? static_cast<size_t>(newline - from) : room;
        memcpy(line_.data() + length, from, taken);
        length += taken;
        begin_ += taken;
        if (newline != nullptr) {
            begin_++;
            line_[length] = '\0';
            return line_.data();
        }
    }
    line_[length] = '\0';
    return length > 0 ? line_.data() : nullptr;
}

} // namespace zoneio
