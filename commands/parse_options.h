// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parses the options of a line into a command's options struct, by the rows of its table.
#pragma once

#include "commands/arguments.h"
#include "commands/command.h"

#include <optional>

namespace zoneio {

/// Parses the options of a line. Empty after an error, which has been reported. The words from `optind` are the
/// operands.
template <typename Parsed, size_t N>
std::optional<Parsed> parse_options(Session& session, const Command& command, CommandLine line,
                                    const OptionRow<Parsed> (&rows)[N], Parsed parsed = {}) {
    for (int code = 0; (code = next_option(command, line)) != -1;) {
        const OptionRow<Parsed>* found = nullptr;
        for (size_t i = 0; i < N && found == nullptr; i++) {
            found = OptionTable::code(rows[i].option, i) == code ? &rows[i] : nullptr;
        }
        if (found == nullptr) {
            usage_error(session, command);
            return std::nullopt;
        }
        const OptionStep step = found->take({session, command, found->option, optarg}, parsed);
        if (step == OptionStep::failed) {
            return std::nullopt;
        }
        if (step == OptionStep::ends) {
            break;
        }
    }
    return parsed;
}

/// The function of a command with options, for its row: parses the line by `Rows`, and calls `Run` with the options and the
/// operands.
template <const auto& Rows, auto Run>
Outcome with_options(Session& session, const Command& command, CommandLine line) {
    auto options = parse_options(session, command, line, Rows);
    return options ? Run(session, command, *options, line.operands()) : Outcome::failed;
}

namespace detail {

template <typename Member>
struct MemberOf;
template <typename Parsed, typename Value>
struct MemberOf<Value Parsed::*> {
    using Owner = Parsed;
};
template <auto Member>
using Owner = typename MemberOf<decltype(Member)>::Owner;

} // namespace detail

// Functions for `take` of option rows.

/// Sets a bool.
template <auto Member>
OptionStep set_flag(const GivenOption& /*given*/, detail::Owner<Member>& parsed) {
    parsed.*Member = true;
    return OptionStep::next;
}

/// Sets a bool in a member.
template <auto Member, auto Flag>
OptionStep set_flag_of(const GivenOption& /*given*/, detail::Owner<Member>& parsed) {
    (parsed.*Member).*Flag = true;
    return OptionStep::next;
}

/// Accepts the option and ignores it.
template <typename Parsed>
OptionStep ignore_option(const GivenOption& /*given*/, Parsed& /*parsed*/) {
    return OptionStep::next;
}

/// Stores the argument as text.
template <auto Member>
OptionStep set_word(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = given.word;
    return OptionStep::next;
}

/// Stores a pattern byte.
template <auto Member>
OptionStep set_pattern(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = parse_pattern(given.session, given.word);
    return parsed.*Member ? OptionStep::next : OptionStep::failed;
}

/// Stores a number of bytes from the start of the data.
template <auto Member>
OptionStep set_length(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = parse_length(given.session, given.word, 0);
    return parsed.*Member ? OptionStep::next : OptionStep::failed;
}

} // namespace zoneio
