// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of the JSON in `json:` names. It is QEMU's dialect: strings may have single quotes. Its messages, which
// scripts match, distinguish a bad token (scanner) from a bad structure (parser). No library has this dialect or these
// messages.
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace zoneio {

enum class JsonTokenKind { end, punctuation, string, keyword, number };

/// A token, its text (strings with their quotes), and its position. Lines, and bytes of a line, are counted from 1.
struct JsonToken {
    JsonTokenKind kind = JsonTokenKind::end;
    std::string_view text;
    size_t line = 1;
    size_t column = 1;
};

/// EINVAL: `LINE:COLUMN: JSON parse error, WHAT`.
Status json_syntax_error(const JsonToken& token, std::string_view what);

/// Splits text into tokens.
class JsonScanner {
public:
    explicit JsonScanner(std::string_view text) : text_(text) {}

    /// The next token, or an error. At the end of the text, a token of kind `end`.
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

/// The value of a string token, as UTF-8.
Result<std::string> decode_json_string(const JsonToken& token);

} // namespace zoneio
