// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of the JSON of `json:` names. It is a dialect: strings may have single quotes, and the messages are ones
// that scripts match, which tell a bad token (the scanner's) from a bad structure (the parser's). No library has
// either, hence this one.
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace zoneio {

enum class JsonTokenKind { end, punctuation, string, keyword, number };

/// A token, its text (strings with their quotes), and where it begins: lines and bytes of a line are counted from 1.
struct JsonToken {
    JsonTokenKind kind = JsonTokenKind::end;
    std::string_view text;
    size_t line = 1;
    size_t column = 1;
};

/// `LINE:COLUMN: JSON parse error, WHAT`.
Status json_syntax_error(const JsonToken& token, std::string_view what);

/// Splits text into tokens.
class JsonScanner {
public:
    explicit JsonScanner(std::string_view text) : text_(text) {}

    /// The next token, `end` after the last one, or an error.
    Result<JsonToken> next();

private:
    bool at(char c) const { return pos_ < text_.size() && text_[pos_] == c; }
    bool at_digit() const;
    template <typename Predicate>
    void skip(Predicate predicate);
    void skip_spaces();
    Result<JsonToken> punctuation();
    Result<JsonToken> token(JsonTokenKind kind);
    JsonToken taken(JsonTokenKind kind) const;
    Status stray() const;
    Status stray_with_next();
    Result<JsonToken> scan_string(char quote);
    Result<JsonToken> scan_number();

    std::string_view text_;
    size_t pos_ = 0;
    size_t begin_ = 0;
    size_t line_ = 1;
    size_t line_begin_ = 0;
    size_t token_count_ = 0;
    size_t open_brackets_ = 0;
    size_t word_end_ = SIZE_MAX;
};

/// What a string token stands for, as UTF-8.
Result<std::string> decode_json_string(const JsonToken& token);

} // namespace zoneio
