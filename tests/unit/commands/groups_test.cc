// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_table.h"
#include "commands/control/groups.h"

#include <gtest/gtest.h>
#include <map>
#include <string>

namespace zoneio {
namespace {

std::map<std::string, int, std::less<>> groups_by_command() {
    std::map<std::string, int, std::less<>> count;
    for (const CommandGroup& group : command_groups()) {
        for (const std::string_view name : group.commands) {
            count[std::string(name)]++;
        }
    }
    return count;
}

TEST(CommandGroups, HaveEachCommandOnce) {
    std::map<std::string, int, std::less<>> count = groups_by_command();
    for (const Command* command : command_table()) {
        EXPECT_EQ(count[std::string(command->name)], 1) << command->name;
        count.erase(std::string(command->name));
    }
    for (const auto& [name, times] : count) {
        ADD_FAILURE() << name << " is no command";
    }
}

TEST(CommandGroups, AreFoundByNamesThatNoCommandHas) {
    for (const CommandGroup& group : command_groups()) {
        EXPECT_EQ(find_command_group(group.name), &group);
        EXPECT_EQ(find_command(group.name), nullptr) << group.name;
    }
    EXPECT_EQ(find_command_group("nosuch"), nullptr);
}

} // namespace
} // namespace zoneio
