// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_table.h"

#include "commands/families.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zoneio {

namespace {

/// The common ones first, as search() goes through them.
constexpr std::span<const Command> families[] = {
    read_commands, write_commands, image_commands, aio_commands, zone_commands, session_commands, script_commands,
    zone_list_commands, zone_map_commands, zone_apply_commands, zoned_commands, fails_commands, expect_commands, watch_commands,
    status_commands, find_commands, dump_commands, save_commands, load_commands, compare_commands, wipe_commands, log_commands,
    replay_commands, crash_commands, why_commands, debug_commands, export_commands, help_commands};

std::vector<const Command*> sorted_commands() {
    std::vector<const Command*> commands;
    for (const std::span<const Command> family : families) {
        for (const Command& command : family) {
            commands.push_back(&command);
        }
    }
    std::sort(commands.begin(), commands.end(), [](const Command* a, const Command* b) { return a->name < b->name; });
    return commands;
}

/// The former name of zone_state, which scripts may still use.
constexpr std::string_view former_zone_state = "zone_condition";

bool has_name(const Command& command, std::string_view word) {
    return command.name == word || (command.altname == word && !word.empty()) ||
           (word == former_zone_state && command.name == "zone_state");
}

const Command* search(std::string_view word) {
    for (const std::span<const Command> family : families) {
        for (const Command& command : family) {
            if (has_name(command, word)) {
                return &command;
            }
        }
    }
    return nullptr;
}

/// Index of names and short names by first letter. A linear search took a tenth of the time of a small command.
class NameIndex {
public:
    NameIndex() {
        for (const Command* command : command_table()) {
            add(command->name, command);
            if (!command->altname.empty()) {
                add(command->altname, command);
            }
            if (has_name(*command, former_zone_state)) {
                add(former_zone_state, command);
            }
        }
    }

    const Command* find(std::string_view word) const {
        for (const auto& [name, command] : names_[first_byte(word)]) {
            if (name == word) {
                return command;
            }
        }
        return nullptr;
    }

private:
    static size_t first_byte(std::string_view word) { return word.empty() ? 0 : static_cast<unsigned char>(word[0]); }
    void add(std::string_view name, const Command* command) { names_[first_byte(name)].emplace_back(name, command); }

    std::array<std::vector<std::pair<std::string_view, const Command*>>, 256> names_;
};

} // namespace

std::span<const Command* const> command_table() {
    static const std::vector<const Command*> table = sorted_commands();
    return table;
}

const Command* find_command(std::string_view word) {
    // Making the index costs as much as some searches, which is more than a start with few commands needs.
    constexpr int searches = 8;
    static int lookups = 0;
    if (lookups < searches) {
        lookups++;
        return search(word);
    }
    static const NameIndex index;
    return index.find(word);
}

std::vector<std::string_view> command_names() {
    std::vector<std::string_view> names;
    for (const Command* command : command_table()) {
        names.push_back(command->name);
        if (!command->altname.empty()) {
            names.push_back(command->altname);
        }
    }
    return names;
}

} // namespace zoneio
