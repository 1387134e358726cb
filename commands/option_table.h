// SPDX-License-Identifier: GPL-3.0-or-later
//
// Options of commands, one row each. getopt(3)'s input, usage, help, hints, completion, the manual and the tables in docs/
// are made from the rows, which also fill the options struct of the command.
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

/// An option without its parser.
struct CommandOption {
    char letter = '\0';              ///< '\0': none
    const char* name = nullptr;      ///< long name without dashes; null: none
    std::string_view argument = {};  ///< name of the argument in help: `PATTERN`; in brackets: an optional operand; empty: none
    std::string_view help = {};      ///< effect, in the imperative; lines are broken for 120 columns
    std::string_view fallback = {};  ///< default to show in help; empty: none
    Word word = Word::other;         ///< kind of the argument, for completion

    constexpr bool takes_argument() const { return !argument.empty() && !argument.starts_with('['); }
};

/// An option found on a line.
struct GivenOption {
    Session& session;
    const Command& command;
    const CommandOption& option;
    const char* word; ///< its argument; null if it takes none
};

/// What to do with the rest of a line after an option.
enum class OptionStep : uint8_t {
    next,   ///< parse it
    ends,   ///< ignore it
    failed, ///< ignore it; the command has failed and reported it
};

/// A row: an option, and the function that stores it in the options struct `Parsed`.
template <typename Parsed>
struct OptionRow {
    CommandOption option;
    OptionStep (*take)(const GivenOption& given, Parsed& parsed);
};

/// The options of a command without their parsers, and the tables for getopt(3).
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
    /// Letters for getopt(3), such as `P:qs:`; may be empty.
    constexpr const char* letters() const { return letters_.data() + 1; }
    /// Likewise for a line whose options all come before its operands.
    constexpr const char* letters_in_order() const { return letters_.data(); }
    /// Table for getopt_long(3); null if no option has a long name.
    constexpr const option* long_options() const { return long_count_ == 0 ? nullptr : long_options_.data(); }

    /// Value that getopt(3) returns for the row with this index.
    static constexpr int code(const CommandOption& row, size_t index) {
        constexpr int first_without_letter = 256;
        return row.letter != '\0' ? row.letter : first_without_letter + static_cast<int>(index);
    }
    /// Row for a value of getopt(3); null if there is none.
    const CommandOption* find(int code) const;
    /// Row with this letter or long name; null if there is none.
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

/// The names of an option, such as `--state` and `-s`.
std::vector<std::string> option_names(const CommandOption& row);
/// The option as help shows it: `-s, --state STATES`.
std::string option_tag(const CommandOption& row);

} // namespace zoneio
