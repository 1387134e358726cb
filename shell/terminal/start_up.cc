// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/start_up.h"

#include "commands/text/terminal.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

std::optional<std::string> start_up_file() {
    if (const char* config = getenv("XDG_CONFIG_HOME"); config != nullptr && config[0] == '/') {
        return std::string(config) + "/zoneio/rc";
    }
    if (const char* home = getenv("HOME"); home != nullptr && home[0] == '/') {
        return std::string(home) + "/.config/zoneio/rc";
    }
    return std::nullopt;
}

/// In another user's environment (su, sudo), that user's commands must not run.
bool is_our_file(const std::string& name) {
    struct stat st{};
    return stat(name.c_str(), &st) == 0 && !S_ISDIR(st.st_mode) && (st.st_uid == geteuid() || st.st_uid == 0);
}

} // namespace

bool start_prompt(Session& session, CommandSequence& sequence) {
    if (session.out().is_json() || !isatty(STDOUT_FILENO)) {
        return true;
    }
    session.out().print("{}\n", dimmed(STDOUT_FILENO, "'help' lists the commands; 'why' explains the last failure"));
    session.out().flush();
    const std::optional<std::string> file = start_up_file();
    return !file || !is_our_file(*file) || sequence.take(run_script(session, *file));
}

} // namespace zoneio
