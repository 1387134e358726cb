// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/prompt.h"

#include "commands/control/script.h"
#include "shell/stdin_lines.h"
#include "shell/terminal/prompt.h"
#include "shell/terminal/readline.h"

#include <unistd.h>

namespace zoneio {

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
