// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tables of words that stand for values, used for parsing, completion and printing.
#pragma once

#include "block/base/status.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace zoneio {

/// One word of a table.
template <typename Value>
struct EnumWord {
    std::string_view word;
    Value value;
    bool is_alias = false; ///< accepted, but not offered
};

/// EINVAL for a word that is in no row: `invalid parameter value: WORD`.
Status invalid_enum_word(std::string_view word);

/// The value of a word; invalid_enum_word() if the table does not have it.
template <typename Value, size_t N>
Status parse_enum(const EnumWord<Value> (&table)[N], std::string_view word, Value& value) {
    for (const EnumWord<Value>& row : table) {
        if (row.word == word) {
            value = row.value;
            return {};
        }
    }
    return invalid_enum_word(word);
}

/// The first word for `value`, which must be in the table.
template <typename Value, size_t N>
std::string_view word_for(const EnumWord<Value> (&table)[N], Value value) {
    const auto has_value = [&](const EnumWord<Value>& row) { return row.value == value; };
    return std::find_if(std::begin(table), std::end(table), has_value)->word;
}

/// The words of a table except aliases, in its order.
template <const auto& Table>
inline constexpr auto offered_words = [] {
    constexpr auto is_offered = [](const auto& row) { return !row.is_alias; };
    std::array<std::string_view, std::count_if(std::begin(Table), std::end(Table), is_offered)> words;
    size_t next = 0;
    for (const auto& row : Table) {
        if (is_offered(row)) {
            words[next++] = row.word;
        }
    }
    return words;
}();

} // namespace zoneio
