// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/completion/completion.h"

#include "block/create.h"
#include "block/node/debug_event.h"
#include "commands/command_table.h"
#include "commands/completion/line_words.h"
#include "commands/completion/zones.h"
#include "commands/image/image_open.h"
#include "commands/zones/filter.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// Computes the completions of one line.
class Completer {
public:
    Completer(Session& session, std::string_view line) : session_(session), line_(line), words_(LineWords::parse(line)) {}

    Completions run() {
        if (words_.is_option) {
            begin_at(words_.current);
            add_options();
        } else {
            begin_at(words_.typed());
            add_kind(words_.kind());
        }
        return std::move(found_);
    }

private:
    /// Sets the word that matches replace: `typed`, the end of the line.
    void begin_at(std::string_view typed) {
        typed_ = typed;
        found_.begin = line_.size() - typed.size();
    }

    void add(std::string_view word) {
        if (word.starts_with(typed_)) {
            found_.matches.emplace_back(word);
        }
    }

    void add(std::string_view word, std::string_view note) {
        if (word.starts_with(typed_)) {
            found_.matches.emplace_back(word);
            found_.notes.emplace_back(note);
        }
    }

    void add_all(std::span<const std::string_view> words) {
        for (const std::string_view word : words) {
            add(word);
        }
    }

    void add_commands() {
        for (const Command* command : command_table()) {
            add(command->name, command->oneline);
            if (!typed_.empty() && command->altname == typed_ && command->altname != command->name) {
                add(command->altname, command->oneline);
            }
        }
    }

    void add_options() {
        const Command& command = *words_.command;
        if (!typed_.starts_with("--") && typed_ != "-") {
            // A letter is complete already.
            found_.matches.emplace_back(typed_);
            return;
        }
        for (const CommandOption* const row : command.options.rows()) {
            for (const std::string& name : option_names(*row)) {
                add(name, row->help);
            }
        }
    }

    void add_tags(bool held) {
        const Breakpoints* const breakpoints = session_.is_open() ? session_.backend().breakpoints() : nullptr;
        if (breakpoints == nullptr) {
            return;
        }
        for (const std::string& tag : breakpoints->tags(held)) {
            if (std::find(found_.matches.begin(), found_.matches.end(), tag) == found_.matches.end()) {
                add(tag);
            }
        }
    }

    void add_exports() {
        for (const std::unique_ptr<Export>& served : session_.exports().all()) {
            add(served->options().name);
        }
    }

    /// Completes the last item of a list with commas.
    void add_list(const std::vector<std::string_view>& words) {
        found_.ends_word = false;
        const size_t comma = typed_.rfind(',');
        begin_at(comma == std::string_view::npos ? typed_ : typed_.substr(comma + 1));
        add_all(words);
    }

    void add_option_string(std::string_view driver) {
        const size_t begin = found_.begin;
        found_ = complete_options(typed_, driver);
        found_.begin += begin;
    }

    std::string_view open_driver() {
        return session_.is_open() ? session_.backend().format().name : std::string_view("raw");
    }

    const Limits* zoned_limits() {
        const bool zoned = session_.is_open() && session_.backend().limits().zoned != ZonedModel::none;
        return zoned ? &session_.backend().limits() : nullptr;
    }

    void add_kind(Word kind) {
        const Limits* const zoned = zoned_limits();
        switch (kind) {
        case Word::other: break;
        case Word::command: add_commands(); break;
        case Word::offset: found_.matches = zoned != nullptr ? zone_offsets(*zoned, typed_) : found_.matches; break;
        case Word::length: found_.matches = zoned != nullptr ? zone_lengths(*zoned, typed_) : found_.matches; break;
        case Word::count: add(fmt::to_string(zoned != nullptr ? zoned->nr_zones : 1)); break;
        case Word::file: found_.files = true; break;
        case Word::image:
            found_.files = !session_.image_opts;
            if (session_.image_opts) {
                add_option_string("raw");
            }
            break;
        case Word::format: add_all(offered_words<new_image_words>); break;
        case Word::open_options: add_option_string("raw"); break;
        case Word::create_options: add_option_string(words_.given('f').value_or("raw")); break;
        case Word::reopen_options: add_option_string(open_driver()); break;
        case Word::cache_mode: add_all(offered_words<cache_mode_words>); break;
        case Word::discard_mode: add_all(offered_words<discard_mode_words>); break;
        case Word::aio_mode: add_all(offered_words<aio_mode_words>); break;
        case Word::prealloc_mode: add_all(offered_words<prealloc_mode_words>); break;
        case Word::debug_event: add_all(debug_event_names()); break;
        case Word::break_tag: add_tags(false); add_tags(true); break;
        case Word::held_tag: add_tags(true); break;
        case Word::zone_states: add_list(zone_state_options()); break;
        case Word::zone_state: add_all(offered_words<settable_state_words>); break;
        case Word::zone_operation: add_all(offered_words<zone_operation_words>); break;
        case Word::export_kind: add("ublk"); add("vhost-user"); break;
        case Word::export_name: add_exports(); break;
        }
    }

    Session& session_;
    std::string_view line_;
    LineWords words_;
    std::string_view typed_;
    Completions found_;
};

} // namespace

Completions complete(Session& session, std::string_view line) {
    const Turn::Hold hold(session.turn());
    return Completer(session, line).run();
}

} // namespace zoneio
