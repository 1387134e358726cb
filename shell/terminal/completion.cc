// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/completion.h"

#include "commands/completion/completion.h"
#include "commands/text/print.h"
#include "commands/text/terminal.h"
#include "shell/terminal/readline.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace zoneio {

namespace {

/// Results of one callback of Readline for the next, because callbacks have no parameter for an object.
struct Attempt {
    Session* session = nullptr;
    Completions found;
    size_t next = 0;
};
Attempt attempt;

/// First callback of a completion: Readline asks for the characters that end a word, which decides where the word
/// starts.
char* begin_attempt() {
    const std::string_view line(*readline().rl_line_buffer, static_cast<size_t>(*readline().rl_point));
    attempt.found = complete(*attempt.session, line);
    static char spaces[] = " ";
    static char separators[] = " ,=";
    const size_t begin = attempt.found.begin;
    const bool in_word = begin > 0 && (line[begin - 1] == ',' || line[begin - 1] == '=');
    return in_word ? separators : spaces;
}

/// Callback for each match; `state` is 0 for the first.
char* next_match(const char* /*text*/, int state) {
    attempt.next = state == 0 ? 0 : attempt.next;
    const std::vector<std::string>& matches = attempt.found.matches;
    return attempt.next < matches.size() ? strdup(matches[attempt.next++].c_str()) : nullptr;
}

char* next_file(const char* text, int state) {
    char* name = readline().rl_filename_completion_function(text, state);
    // Names with a space cannot be typed.
    while (name != nullptr && strchr(name, ' ') != nullptr) {
        free(name);
        name = readline().rl_filename_completion_function(text, 1);
    }
    return name;
}

/// Makes the matches replace the text from `begin` on, instead of the word that Readline has found.
void move_begin(std::string_view line, size_t begin) {
    for (std::string& match : attempt.found.matches) {
        if (begin <= attempt.found.begin) {
            match.insert(0, line.substr(begin, attempt.found.begin - begin));
        } else {
            match.erase(0, begin - attempt.found.begin);
        }
    }
}

/// A note on one line, cut with dots if it is too long.
std::string note_for(std::string_view note, size_t room) {
    std::string text(note);
    std::replace(text.begin(), text.end(), '\n', ' ');
    if (text.size() > room) {
        text.resize(room > 3 ? room - 3 : 0);
        text += room > 3 ? "..." : "";
    }
    return text;
}

/// Shows the matches below the line, each with its note.
void show_with_notes(char** /*matches*/, int /*count*/, int /*longest*/) {
    const Completions& found = attempt.found;
    size_t longest = 0;
    for (const std::string& match : found.matches) {
        longest = std::max(longest, match.size());
    }
    const size_t columns = TextScreen::of_stdout().width;
    FILE* const out = *readline().rl_outstream;
    readline().rl_crlf();
    for (size_t i = 0; i < found.matches.size(); i++) {
        const std::string note = note_for(found.notes[i], columns - std::min(columns, longest + 3));
        print_to(out, "{:<{}}  {}\n", found.matches[i], longest, dimmed(STDOUT_FILENO, note));
    }
    readline().rl_forced_update_display();
}

/// True if every match has a note and the screen has room for them. Otherwise the matches are shown side by side.
bool has_room_for_notes() {
    const Completions& found = attempt.found;
    return !found.notes.empty() && found.notes.size() == found.matches.size() && found.matches.size() + 2 <= TextScreen::of_stdout().height;
}

char** matches_of_attempt(const char* text, int begin, int end) {
    *readline().rl_attempted_completion_over = 1;
    *readline().rl_completion_display_matches_hook = has_room_for_notes() ? show_with_notes : nullptr;
    *readline().rl_completion_append_character = static_cast<unsigned char>(attempt.found.ends_word ? ' ' : '\0');
    *readline().rl_sort_completion_matches = attempt.found.files ? 1 : 0;
    if (attempt.found.files) {
        return static_cast<size_t>(begin) == attempt.found.begin ? readline().rl_completion_matches(text, next_file) : nullptr;
    }
    move_begin({*readline().rl_line_buffer, static_cast<size_t>(end)}, static_cast<size_t>(begin));
    return readline().rl_completion_matches(text, next_match);
}

} // namespace

void install_completion(Session& session) {
    attempt.session = &session;
    *readline().rl_completer_quote_characters = "";
    *readline().rl_completion_word_break_hook = begin_attempt;
    *readline().rl_attempted_completion_function = matches_of_attempt;
    // No command expands ~ later.
    readline().rl_variable_bind("expand-tilde", "on");
}

} // namespace zoneio
