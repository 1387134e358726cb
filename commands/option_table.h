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
#include <iterator>
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

/// The options of a command without their parsers, and the tables for getopt(3). Made by option_table().
class OptionTable {
public:
    constexpr OptionTable() = default;
    /// `letters` begins with the `+` that getopt(3) takes for "in order". The arrays outlive the table.
    constexpr OptionTable(std::span<const CommandOption* const> rows, const char* letters, const option* long_options)
        : rows_(rows), letters_(letters), long_options_(long_options) {}

    constexpr std::span<const CommandOption* const> rows() const { return rows_; }
    constexpr bool empty() const { return rows_.empty(); }
    /// Letters for getopt(3), such as `P:qs:`; may be empty.
    constexpr const char* letters() const { return letters_ + 1; }
    /// Likewise for a line whose options all come before its operands.
    constexpr const char* letters_in_order() const { return letters_; }
    /// Table for getopt_long(3); null if no option has a long name.
    constexpr const option* long_options() const { return long_options_; }

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
    std::span<const CommandOption* const> rows_;
    const char* letters_ = "+";
    const option* long_options_ = nullptr;
};

/// What the table of `Rows` points to, each array as long as it has to be: the dynamic linker relocates these at every start.
template <const auto& Rows>
struct OptionArrays {
    static constexpr size_t count = std::size(Rows);
    static constexpr size_t long_count = [] {
        size_t named = 0;
        for (const auto& row : Rows) {
            named += row.option.name != nullptr ? 1 : 0;
        }
        return named;
    }();

    std::array<const CommandOption*, count> rows{};
    std::array<char, 2 * count + 2> letters{'+'};
    std::array<option, long_count + 1> long_options{}; ///< the last one is zeros

    constexpr OptionArrays() {
        size_t index = 0;
        size_t letter = 1;
        size_t named = 0;
        for (const auto& row : Rows) {
            const CommandOption& option = row.option;
            if (option.letter != '\0') {
                letters.at(letter++) = option.letter;
                if (option.takes_argument()) {
                    letters.at(letter++) = ':';
                }
            }
            if (option.name != nullptr) {
                const int has_argument = option.takes_argument() ? required_argument : no_argument;
                long_options.at(named++) = {option.name, has_argument, nullptr, OptionTable::code(option, index)};
            }
            rows.at(index++) = &option;
        }
    }
};

template <const auto& Rows>
inline constexpr OptionArrays<Rows> option_arrays{};

/// The table of a constant array of `OptionRow`s.
template <const auto& Rows>
constexpr OptionTable option_table() {
    constexpr const OptionArrays<Rows>& arrays = option_arrays<Rows>;
    return {arrays.rows, arrays.letters.data(), arrays.long_count > 0 ? arrays.long_options.data() : nullptr};
}

/// The names of an option, such as `--state` and `-s`.
std::vector<std::string> option_names(const CommandOption& row);
/// The option as help shows it: `-s, --state STATES`.
std::string option_tag(const CommandOption& row);

} // namespace zoneio
