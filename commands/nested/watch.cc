// SPDX-License-Identifier: GPL-3.0-or-later
//
// watch: runs a command repeatedly.
#include "commands/dispatch.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"
#include "commands/text/key_watch.h"
#include "commands/text/terminal.h"

#include <cstdlib>

namespace zoneio {

namespace {

struct WatchOptions {
    std::optional<int64_t> count; // -c
};

constexpr OptionRow<WatchOptions> watch_options[] = {
    {{.letter = 'c', .name = "count", .argument = "N", .help = "stop after N times; required if stdout is not a terminal"},
     set_length<&WatchOptions::count>},
};

/// Parses a number of seconds; empty if the word is none.
std::optional<double> parse_seconds(const std::string& word) {
    constexpr double most = 86400;
    char* end = nullptr;
    const double seconds = strtod(word.c_str(), &end);
    const bool is_number = end != word.c_str() && *end == '\0';
    return is_number && seconds >= 0 && seconds <= most ? std::optional(seconds) : std::nullopt;
}

Outcome run_again(Session& session, const std::string& inner, std::chrono::milliseconds pause, std::optional<int64_t> count) {
    const bool clears = TextScreen::of_stdout().is_terminal && !session.out().is_json();
    KeyWatch keys;
    for (int64_t done = 0; !count || done < *count; done++) {
        if (done > 0 && keys.wait(pause)) {
            break;
        }
        if (clears) {
            session.out().write("\033[H\033[2J");
        }
        std::string text = inner;
        const Outcome outcome = run_line(session, text.data());
        session.out().flush();
        if (outcome != Outcome::ok) {
            return outcome;
        }
        if (InterruptEndsCommand::is_requested()) {
            break;
        }
    }
    return Outcome::ok;
}

Outcome run_watch(Session& session, const Command& command, const WatchOptions& options, std::span<char*> words) {
    const std::optional<double> seconds = words.empty() ? std::nullopt : parse_seconds(words.front());
    if (seconds) {
        words = words.subspan(1);
    }
    if (words.empty()) {
        return usage_error(session, command);
    }
    if (!options.count && !TextScreen::of_stdout().is_terminal) {
        return session.out().error("watch: stdout is not a terminal; give --count");
    }
    const std::chrono::milliseconds pause(static_cast<int64_t>(seconds.value_or(1) * 1000));
    return run_again(session, session.text_from(words.front()), pause, options.count);
}

} // namespace

constexpr Command watch_commands[] = {
    {.name = "watch", .run = with_options<watch_options, run_watch>,
     .argmin = 1, .argmax = -1, .is_ours = true, .takes_command = true,
     .operands = "[seconds] command...",
     .oneline = "run a command again and again",
     .help =
         "Runs COMMAND every SECONDS (1), until a key is pressed or it fails. At a terminal, clears the screen first.\n"
         "\n"
         "Example: watch 0.5 zone_info\n",
     .options = option_table<watch_options>(), .words = {Word::command}},
};

} // namespace zoneio
