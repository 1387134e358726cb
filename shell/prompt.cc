// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/prompt.h"

#include "shell/stdin_lines.h"

#include <unistd.h>

namespace zoneio {

bool run_prompt(Session& session) {
    if (isatty(STDIN_FILENO)) {
        return run_terminal_prompt(session);
    }
    bool all_ok = true;
    StdinLines lines;
    const std::string prompt = session.out().program() + "> ";
    while (true) {
        session.out().write(prompt);
        session.out().flush();
        char* const line = lines.next();
        if (line == nullptr) {
            return all_ok;
        }
        const Outcome outcome = run_line(session, line);
        if (outcome == Outcome::quit) {
            return all_ok;
        }
        all_ok = all_ok && outcome == Outcome::ok;
    }
}

} // namespace zoneio
