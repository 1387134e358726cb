// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/prompt.h"

#include "block/base/file_descriptor.h"
#include "commands/control/script.h"
#include "commands/export/signals.h"
#include "shell/terminal/prompt.h"
#include "shell/terminal/readline.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unistd.h>

namespace zoneio {

namespace {

/// Lines of standard input, if it is not a terminal.
///
/// As in qemu-io, a line of more than 1023 bytes is split into pieces, each of which counts as a line, and a zero byte
/// hides the rest of its piece.
class StdinLines {
public:
    StdinLines() = default;
    StdinLines(const StdinLines&) = delete;
    StdinLines& operator=(const StdinLines&) = delete;
    /// Moves the position of a file back to the first line that was not used, for the next reader.
    ~StdinLines() {
        if (begin_ < end_) {
            // Fails for pipes, which then keep what was read.
            (void)lseek(STDIN_FILENO, -static_cast<off_t>(end_ - begin_), SEEK_CUR);
        }
    }
    /// True if next() would return a line without reading.
    bool has_next() const { return memchr(buffer_.data() + begin_, '\n', end_ - begin_) != nullptr; }
    /// The next line without its newline; it may be modified. Null at the end of the input.
    char* next();

private:
    static constexpr size_t longest_piece = 1023;

    bool fill();

    std::array<char, 65536> buffer_;
    size_t begin_ = 0;
    size_t end_ = 0;
    bool at_end_ = false;
    std::array<char, longest_piece + 1> line_;
};

bool StdinLines::fill() {
    if (at_end_) {
        return false;
    }
    if (termination_fd() >= 0 && !wait_for_input(STDIN_FILENO)) {
        at_end_ = true;
        return false;
    }
    const ssize_t got = uninterrupted([&] { return read(STDIN_FILENO, buffer_.data(), buffer_.size()); });
    begin_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    at_end_ = end_ == 0;
    return !at_end_;
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

} // namespace

void run_prompt(Session& session, bool starts_up) {
    if (isatty(STDIN_FILENO) && load_readline() != nullptr) {
        return run_terminal_prompt(session, starts_up);
    }
    StdinLines lines;
    CommandSequence sequence(session);
    // Programs that read records expect no prompt.
    const std::string prompt = session.out().is_json() ? "" : session.out().program() + "> ";
    char* line = nullptr;
    do {
        session.out().write_now(prompt);
        if (!session.aio().empty() && !lines.has_next()) {
            session.kick();
        }
        line = lines.next();
    } while (line != nullptr && sequence.run(line));
}

} // namespace zoneio
