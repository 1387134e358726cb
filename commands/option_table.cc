// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/option_table.h"

#include <fmt/format.h>

namespace zoneio {

const CommandOption* OptionTable::find(int wanted) const {
    for (size_t i = 0; i < rows_.size(); i++) {
        if (code(*rows_[i], i) == wanted) {
            return rows_[i];
        }
    }
    return nullptr;
}

const CommandOption* OptionTable::find_letter(char letter) const {
    return letter != '\0' ? find(letter) : nullptr;
}

const CommandOption* OptionTable::find_name(std::string_view name) const {
    for (const CommandOption* const row : rows()) {
        if (row->name != nullptr && row->name == name) {
            return row;
        }
    }
    return nullptr;
}

std::vector<std::string> option_names(const CommandOption& row) {
    std::vector<std::string> names;
    if (row.name != nullptr) {
        names.push_back(fmt::format("--{}", row.name));
    }
    if (row.letter != '\0') {
        names.push_back(fmt::format("-{}", row.letter));
    }
    return names;
}

std::string option_tag(const CommandOption& row) {
    const std::string letter = row.letter != '\0' ? fmt::format("-{}", row.letter) : std::string();
    const std::string name = row.name != nullptr ? fmt::format("--{}", row.name) : std::string();
    return fmt::format("{}{}{}{}{}", letter, letter.empty() || name.empty() ? "" : ", ", name, row.argument.empty() ? "" : " ",
                       row.argument);
}

} // namespace zoneio
