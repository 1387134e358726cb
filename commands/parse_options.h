// SPDX-License-Identifier: GPL-3.0-or-later
//
// From the options of a line to the struct that a command reads, by the rows of its table.
#pragma once

#include "commands/arguments.h"
#include "commands/command.h"

#include <optional>

namespace zoneio {

/// Reads the options of a line. Nothing after an error, which was told; the operands are what getopt(3) left.
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

// What rows have as `take`.

/// The option turns something on.
template <auto Member>
OptionStep set_flag(const GivenOption& /*given*/, detail::Owner<Member>& parsed) {
    parsed.*Member = true;
    return OptionStep::next;
}

/// It is accepted and means nothing.
template <typename Parsed>
OptionStep ignore_option(const GivenOption& /*given*/, Parsed& /*parsed*/) {
    return OptionStep::next;
}

/// It takes a word as it stands.
template <auto Member>
OptionStep set_word(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = given.word;
    return OptionStep::next;
}

/// It takes a pattern byte.
template <auto Member>
OptionStep set_pattern(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = parse_pattern(given.session, given.word);
    return parsed.*Member ? OptionStep::next : OptionStep::failed;
}

/// It takes a number of bytes, counted from the begin of the data.
template <auto Member>
OptionStep set_length(const GivenOption& given, detail::Owner<Member>& parsed) {
    parsed.*Member = parse_length(given.session, given.word, 0);
    return parsed.*Member ? OptionStep::next : OptionStep::failed;
}

} // namespace zoneio
