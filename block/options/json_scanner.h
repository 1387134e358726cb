// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of the JSON of `json:` names. It is a dialect: strings may have single quotes, and the messages are ones
// that scripts match, which tell a bad token (the scanner's) from a bad structure (the parser's). No library has
// either, hence this one.
#pragma once

#include "block/base/status.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

enum class JsonTokenKind { punctuation, string, keyword, number };

/// A token and its text, strings with their quotes.
struct JsonToken {
    JsonTokenKind kind;
    std::string_view text;
};

/// `JSON parse error, WHAT`.
Status json_syntax_error(std::string_view what);

/// Splits text into tokens.
class JsonScanner {
public:
    explicit JsonScanner(std::string_view text) : text_(text) {}

    /// The next token, nothing at the end of the text, or an error.
    Result<std::optional<JsonToken>> next();
    /// The tokens of the next value: up to where its brackets balance, or to the end.
    Result<std::vector<JsonToken>> next_value();

private:
    bool at(char c) const { return pos_ < text_.size() && text_[pos_] == c; }
    bool at_digit() const;
    std::string_view taken() const { return text_.substr(begin_, pos_ - begin_); }
    template <typename Predicate>
    void skip(Predicate predicate);
    Result<std::optional<JsonToken>> token(JsonTokenKind kind);
    Status stray_with_next();
    Result<std::optional<JsonToken>> scan_string(char quote);
    Result<std::optional<JsonToken>> scan_number();

    std::string_view text_;
    size_t pos_ = 0;
    size_t begin_ = 0;
};

/// What a string token stands for, as UTF-8.
Result<std::string> decode_json_string(std::string_view token);

} // namespace zoneio
