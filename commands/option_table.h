// SPDX-License-Identifier: GPL-3.0-or-later
//
// The options of commands: one row each. From it come what getopt(3) is given, usage, help, hints, completion, the manual,
// and the struct that a command reads.
#pragma once

#include "commands/words.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <getopt.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

struct Command;
class Session;

/// What is to be known about an option.
struct CommandOption {
    char letter = '\0';              ///< '\0': none
    const char* name = nullptr;      ///< the long one, without dashes; null: none
    std::string_view argument = {};  ///< as help calls it: `PATTERN`; in brackets an operand that may follow; empty: none
    std::string_view help = {};      ///< what it does; lines are broken as on a terminal of 120 columns
    std::string_view fallback = {};  ///< what holds without it, where help is to say so
    Word word = Word::other;         ///< what the argument stands for, for completion

    constexpr bool takes_argument() const { return !argument.empty() && !argument.starts_with('['); }
};

/// An option as it stands on a line.
struct GivenOption {
    Session& session;
    const Command& command;
    const CommandOption& option;
    const char* word; ///< its argument; null where it takes none
};

/// What becomes of the rest of a line after an option.
enum class OptionStep : uint8_t {
    next,   ///< it is read
    ends,   ///< nobody looks at it
    failed, ///< nothing: the command fails, which was told
};

/// The row of an option that goes into a `Parsed`.
template <typename Parsed>
struct OptionRow {
    CommandOption option;
    OptionStep (*take)(const GivenOption& given, Parsed& parsed);
};

/// The rows of a command without their parsers, and what getopt(3) wants to know of them.
class OptionTable {
public:
    constexpr OptionTable() = default;
    template <typename Parsed, size_t N>
    constexpr OptionTable(const OptionRow<Parsed> (&rows)[N]) { // NOLINT(google-explicit-constructor): rows of a table
        for (const OptionRow<Parsed>& row : rows) {
            add(row.option);
        }
    }

    constexpr std::span<const CommandOption* const> rows() const { return {rows_.data(), count_}; }
    constexpr bool empty() const { return count_ == 0; }
    /// For getopt(3), `P:qs:`; empty where there are none.
    constexpr const char* letters() const { return letters_.data() + 1; }
    /// The same for a line whose options are known to come before its operands.
    constexpr const char* letters_in_order() const { return letters_.data(); }
    /// For getopt_long(3); null where no option has a long name.
    constexpr const option* long_options() const { return long_count_ == 0 ? nullptr : long_options_.data(); }

    /// What getopt(3) returns for the row with this index.
    static constexpr int code(const CommandOption& row, size_t index) {
        constexpr int first_without_letter = 256;
        return row.letter != '\0' ? row.letter : first_without_letter + static_cast<int>(index);
    }
    /// The row that getopt(3) means by `code`; null: none.
    const CommandOption* find(int code) const;
    /// By letter, or by the long name; null: none.
    const CommandOption* find_letter(char letter) const;
    const CommandOption* find_name(std::string_view name) const;

private:
    static constexpr size_t most_rows = 14;
    static constexpr size_t most_long_options = 7;

    constexpr void add(const CommandOption& row) {
        if (row.letter != '\0') {
            letters_.at(letter_count_++) = row.letter;
            if (row.takes_argument()) {
                letters_.at(letter_count_++) = ':';
            }
        }
        if (row.name != nullptr) {
            const int has_argument = row.takes_argument() ? required_argument : no_argument;
            long_options_.at(long_count_++) = {row.name, has_argument, nullptr, code(row, count_)};
        }
        rows_.at(count_++) = &row;
    }

    std::array<const CommandOption*, most_rows> rows_{};
    size_t count_ = 0;
    std::array<char, 2 * most_rows + 2> letters_{'+'};
    size_t letter_count_ = 1;
    std::array<option, most_long_options + 1> long_options_{}; ///< the last one is zeros
    size_t long_count_ = 0;
};

/// `--state` and `-s`, those that there are.
std::vector<std::string> option_names(const CommandOption& row);
/// `-s, --state STATES`, as help shows it.
std::string option_tag(const CommandOption& row);

} // namespace zoneio
