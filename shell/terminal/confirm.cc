// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/confirm.h"

#include "commands/long_work.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"

#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <string>
#include <termios.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Reads a line with its newline, which is missing at the end of the input and after an interrupt.
std::string read_line(int fd) {
    // Signals are unblocked only during ppoll(2), so that no interrupt is lost between a check and read(2).
    sigset_t interrupt;
    sigset_t before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    std::string line;
    while (!line.ends_with('\n') && !InterruptEndsCommand::is_requested()) {
        pollfd event{fd, POLLIN, 0};
        if (ppoll(&event, 1, nullptr, &before) < 0 && errno == EINTR) {
            continue;
        }
        char c = 0;
        if (read(fd, &c, 1) <= 0) {
            break;
        }
        line += c;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return line;
}

} // namespace

char ask(std::string_view question, std::string_view choices, std::string_view letters) {
    termios before{};
    const bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_terminal) {
        // Line editing may have switched off echo and line mode.
        termios lines = before;
        lines.c_iflag |= ICRNL;
        lines.c_lflag |= ICANON | ECHO | ISIG;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &lines);
    }
    FILE* const screen = isatty(STDERR_FILENO) ? stderr : stdout;
    print_to(screen, "{} {} ", for_terminal(fileno(screen), question), choices);
    fflush(screen);
    const std::string answer = read_line(STDIN_FILENO);
    if (!answer.ends_with('\n')) {
        print_to(screen, "\n");
    }
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    }
    const std::string word = answer.substr(0, answer.find('\n'));
    const char letter = word.empty() || !answer.ends_with('\n') ? '\0' : static_cast<char>(tolower(static_cast<unsigned char>(word[0])));
    // The answer may be a letter or the word that starts with it; the brackets in `choices` show the letters.
    const bool is_word = word.size() == 1 || word == "yes" || word == "read-only";
    return letter != '\0' && is_word && letters.find(letter) != std::string_view::npos ? letter : '\0';
}

} // namespace zoneio
