// SPDX-License-Identifier: GPL-3.0-or-later
//
// The JSON of `json:` names. It is a dialect: strings may have single quotes, and the messages are ones that
// scripts match, which tell a bad token (the scanner's) from a bad structure (the parser's). No library has
// either, hence this one. The scanner reads on until brackets balance; only then is the structure looked at.
#include "block/options.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace zoneio {

namespace {

// The same bounds as upstream's: hostile input must end in an error, not in a crash.
constexpr size_t max_token_size = 64U << 20;
constexpr size_t max_token_count = 2U << 20;
constexpr size_t max_nesting = 1024;

enum class TokenKind { punctuation, string, keyword, number };

struct Token {
    TokenKind kind;
    std::string_view text;
};

Status syntax_error(std::string_view what) {
    return Status::error(EINVAL, fmt::format("JSON parse error, {}", what));
}

Status stray(std::string_view text) {
    return syntax_error(fmt::format("stray '{}'", text));
}

/// Splits text into tokens.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    /// The next token, nothing at the end of the text, or an error.
    Result<std::optional<Token>> next() {
        while (pos_ < text_.size() && std::string_view(" \t\r\n").find(text_[pos_]) != std::string_view::npos) {
            pos_++;
        }
        if (pos_ == text_.size()) {
            return std::optional<Token>();
        }
        begin_ = pos_;
        const char c = text_[pos_];
        if (std::string_view("{}[],:").find(c) != std::string_view::npos) {
            pos_++;
            return token(TokenKind::punctuation);
        }
        if (c == '"' || c == '\'') {
            return scan_string(c);
        }
        if (c >= 'a' && c <= 'z') {
            skip([](char k) { return k >= 'a' && k <= 'z'; });
            return token(TokenKind::keyword);
        }
        if (c == '-' || is_digit(c)) {
            return scan_number();
        }
        pos_++;
        return stray(taken());
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    bool at(char c) const { return pos_ < text_.size() && text_[pos_] == c; }
    bool at_digit() const { return pos_ < text_.size() && is_digit(text_[pos_]); }
    std::string_view taken() const { return text_.substr(begin_, pos_ - begin_); }

    template <typename Predicate>
    void skip(Predicate predicate) {
        while (pos_ < text_.size() && predicate(text_[pos_])) {
            pos_++;
        }
    }

    Result<std::optional<Token>> token(TokenKind kind) {
        if (taken().size() > max_token_size) {
            return Status::error(EINVAL, "JSON token size limit exceeded");
        }
        return std::optional<Token>(Token{kind, taken()});
    }

    /// A token that broke off: the character at which it did belongs to what the message shows.
    Status stray_with_next() {
        if (pos_ < text_.size()) {
            pos_++;
        }
        return stray(taken());
    }

    Result<std::optional<Token>> scan_string(char quote) {
        pos_++;
        while (pos_ < text_.size()) {
            const char c = text_[pos_++];
            if (c == quote) {
                return token(TokenKind::string);
            }
            if (static_cast<unsigned char>(c) < 0x20) {
                return stray(taken());
            }
            if (c == '\\' && pos_ < text_.size()) {
                pos_++;
            }
        }
        return stray(taken());
    }

    Result<std::optional<Token>> scan_number() {
        if (at('-')) {
            pos_++;
            if (!at_digit()) {
                return stray_with_next();
            }
        }
        if (at('0')) {
            pos_++;
            if (at_digit()) {
                return stray_with_next();
            }
        }
        skip(is_digit);
        if (at('.')) {
            pos_++;
            if (!at_digit()) {
                return stray_with_next();
            }
            skip(is_digit);
        }
        if (at('e') || at('E')) {
            pos_++;
            if (at('+') || at('-')) {
                pos_++;
            }
            if (!at_digit()) {
                return stray_with_next();
            }
            skip(is_digit);
        }
        return token(TokenKind::number);
    }

    std::string_view text_;
    size_t pos_ = 0;
    size_t begin_ = 0;
};

void append_utf8(std::string& out, uint32_t code) {
    if (code == 0) {
        // Option values are C strings everywhere behind this: an encoded zero must not cut them short.
        out += "\xC0\x80";
    } else if (code < 0x80) {
        out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
        out.push_back(static_cast<char>(0xC0 | (code >> 6)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | (code >> 12)));
        out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    } else {
        out.push_back(static_cast<char>(0xF0 | (code >> 18)));
        out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
}

/// The length of the UTF-8 sequence at the front of text, or 0 when it is not a valid one.
size_t utf8_length(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || text.size() < length) {
        return 0;
    }
    uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if (byte(i) >> 6 != 2) {
            return 0;
        }
        code = code << 6 | (byte(i) & 0x3FU);
    }
    static constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool noncharacter = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
    return code < smallest[length] || code > 0x10FFFF || surrogate || noncharacter ? 0 : length;
}

/// What a string token stands for.
class StringDecoder {
public:
    /// `token` has its quotes.
    static Result<std::string> decode(std::string_view token) {
        StringDecoder decoder(token.substr(1, token.size() - 2));
        Status status = decoder.run();
        if (!status.ok()) {
            return status;
        }
        return std::move(decoder.out_);
    }

private:
    explicit StringDecoder(std::string_view text) : text_(text) {}

    Status run() {
        while (!text_.empty()) {
            if (text_.front() == '\\') {
                Status status = decode_escape();
                if (!status.ok()) {
                    return status;
                }
                continue;
            }
            const size_t length = utf8_length(text_);
            if (length == 0) {
                return syntax_error("invalid UTF-8 sequence in string");
            }
            out_ += text_.substr(0, length);
            text_.remove_prefix(length);
        }
        return {};
    }

    Status decode_escape() {
        static constexpr std::string_view names = "bfnrt\"'\\/";
        static constexpr std::string_view values = "\b\f\n\r\t\"'\\/";
        const char c = text_.size() > 1 ? text_[1] : '\0';
        if (c == 'u') {
            return decode_unicode();
        }
        const size_t index = names.find(c);
        if (c == '\0' || index == std::string_view::npos) {
            return syntax_error("invalid escape sequence in string");
        }
        out_.push_back(values[index]);
        text_.remove_prefix(2);
        return {};
    }

    /// The value of a `\uXXXX` at the front, or nothing.
    static std::optional<uint32_t> unicode_escape(std::string_view text) {
        if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') {
            return std::nullopt;
        }
        uint32_t code = 0;
        for (const char c : text.substr(2, 4)) {
            if (!std::isxdigit(static_cast<unsigned char>(c))) {
                return std::nullopt;
            }
            const int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 0x20) - 'a' + 10;
            code = code << 4 | static_cast<uint32_t>(digit);
        }
        return code;
    }

    Status decode_unicode() {
        const std::string_view shown = text_;
        std::optional<uint32_t> code = unicode_escape(text_);
        size_t length = 6;
        if (code && *code >= 0xD800 && *code <= 0xDBFF) {
            const std::optional<uint32_t> low = unicode_escape(text_.substr(6));
            if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
                code = 0x10000 + ((*code & 0x3FF) << 10) + (*low & 0x3FF);
                length = 12;
            }
        }
        const bool valid = code && !(*code >= 0xD800 && *code <= 0xDFFF) && !(*code >= 0xFDD0 && *code <= 0xFDEF) &&
                           (*code & 0xFFFE) != 0xFFFE;
        if (!valid) {
            // The closing quote is part of what is shown when the digits ran into it.
            const std::string_view with_quote(shown.data(), std::min(length, shown.size() + 1));
            return syntax_error(fmt::format("{} is not a valid Unicode character", with_quote));
        }
        append_utf8(out_, *code);
        text_.remove_prefix(length);
        return {};
    }

    std::string_view text_;
    std::string out_;
};

/// Builds dotted keys straight from the tokens of one value.
class Flattener {
public:
    explicit Flattener(const std::vector<Token>& tokens) : tokens_(tokens) {}

    /// The options, or nothing when the value is not an object.
    Result<std::optional<Options>> run() {
        const bool is_object = peek_is("{");
        Status status = is_object ? parse_object("", true) : parse_value("");
        if (!status.ok()) {
            return status;
        }
        return is_object ? std::optional<Options>(std::move(options_)) : std::nullopt;
    }

private:
    bool peek_is(std::string_view punctuation) const {
        return pos_ < tokens_.size() && tokens_[pos_].kind == TokenKind::punctuation && tokens_[pos_].text == punctuation;
    }

    bool accept(std::string_view punctuation) {
        const bool found = peek_is(punctuation);
        pos_ += found ? 1 : 0;
        return found;
    }

    bool at_end() const { return pos_ == tokens_.size(); }
    static Status premature_end() { return syntax_error("premature EOI"); }

    /// A dotted key at the top yields to the same key made of nested objects.
    void set(const std::string& key, OptionValue value) {
        if (depth_ == 1) {
            options_.set_default(key, std::move(value));
        } else {
            options_.set(key, std::move(value));
        }
    }

    Status parse_object(const std::string& prefix, bool top) {
        pos_++;
        if (accept("}")) {
            if (!top) {
                set(prefix, EmptyValue{});
            }
            return {};
        }
        depth_++;
        std::set<std::string> seen;
        do {
            Status status = parse_pair(prefix, top, seen);
            if (!status.ok()) {
                return status;
            }
        } while (accept(","));
        depth_--;
        if (accept("}")) {
            return {};
        }
        return at_end() ? premature_end() : syntax_error("expected separator in dict");
    }

    Status parse_pair(const std::string& prefix, bool top, std::set<std::string>& seen) {
        if (at_end()) {
            return premature_end();
        }
        if (tokens_[pos_].kind != TokenKind::string) {
            return bad_key();
        }
        Result<std::string> key = StringDecoder::decode(tokens_[pos_].text);
        if (!key.ok()) {
            return std::move(key).status();
        }
        pos_++;
        if (!accept(":")) {
            return at_end() ? premature_end() : syntax_error("missing : in object pair");
        }
        // A duplicate is noticed only after its value was understood.
        const bool duplicate = !seen.insert(*key).second;
        Status status = parse_value(top ? *key : prefix + '.' + *key);
        if (status.ok() && duplicate) {
            return syntax_error("duplicate key");
        }
        return status;
    }

    /// What stands in place of a key is parsed as a value first, and its errors win.
    Status bad_key() {
        Status status = parse_value("");
        return status.ok() ? syntax_error("key is not a string in object") : std::move(status);
    }

    Status parse_array(const std::string& prefix) {
        pos_++;
        if (accept("]")) {
            set(prefix, EmptyValue{});
            return {};
        }
        depth_++;
        size_t index = 0;
        do {
            if (at_end()) {
                return premature_end();
            }
            Status status = parse_value(prefix + '.' + std::to_string(index++));
            if (!status.ok()) {
                return status;
            }
        } while (accept(","));
        depth_--;
        if (accept("]")) {
            return {};
        }
        return at_end() ? premature_end() : syntax_error("expected separator in list");
    }

    Status parse_value(const std::string& key) {
        if (at_end()) {
            return premature_end();
        }
        const Token& token = tokens_[pos_];
        switch (token.kind) {
        case TokenKind::punctuation:
            if (token.text == "{") {
                return parse_object(key, false);
            }
            if (token.text == "[") {
                return parse_array(key);
            }
            return syntax_error("expecting value");
        case TokenKind::string: {
            Result<std::string> text = StringDecoder::decode(token.text);
            if (!text.ok()) {
                return std::move(text).status();
            }
            set(key, *text);
            break;
        }
        case TokenKind::keyword:
            if (token.text == "true" || token.text == "false") {
                set(key, token.text == "true");
            } else if (token.text == "null") {
                set(key, EmptyValue{});
            } else {
                return syntax_error(fmt::format("invalid keyword '{}'", token.text));
            }
            break;
        case TokenKind::number: set(key, number(std::string(token.text))); break;
        }
        pos_++;
        return {};
    }

    static OptionValue number(const std::string& text) {
        if (text.find_first_of(".eE") == std::string::npos) {
            errno = 0;
            const long long value = strtoll(text.c_str(), nullptr, 10);
            if (errno == 0) {
                return int64_t{value};
            }
            errno = 0;
            const unsigned long long wide = strtoull(text.c_str(), nullptr, 10);
            if (errno == 0 && text.front() != '-') {
                return uint64_t{wide};
            }
        }
        return strtod(text.c_str(), nullptr);
    }

    const std::vector<Token>& tokens_;
    size_t pos_ = 0;
    int depth_ = 0;
    Options options_;
};

/// The tokens of the first value: up to where its brackets balance, or to the end.
///
/// More closing brackets than open ones end a value too, as does a scalar outside of any.
Result<std::vector<Token>> scan_value(Scanner& scanner) {
    std::vector<Token> tokens;
    int braces = 0;
    int brackets = 0;
    while (true) {
        Result<std::optional<Token>> next = scanner.next();
        if (!next.ok()) {
            return std::move(next).status();
        }
        if (!*next) {
            return tokens;
        }
        const Token token = **next;
        if (token.kind == TokenKind::punctuation) {
            braces += token.text == "{" ? 1 : token.text == "}" ? -1 : 0;
            brackets += token.text == "[" ? 1 : token.text == "]" ? -1 : 0;
        }
        tokens.push_back(token);
        if (tokens.size() > max_token_count) {
            return Status::error(EINVAL, "JSON token count limit exceeded");
        }
        if (braces + brackets > static_cast<int>(max_nesting)) {
            return Status::error(EINVAL, "JSON nesting depth limit exceeded");
        }
        if (braces < 0 || brackets < 0 || (braces == 0 && brackets == 0)) {
            return tokens;
        }
    }
}

} // namespace

Result<std::optional<Options>> parse_json_object(std::string_view json) {
    Scanner scanner(json);
    Result<std::vector<Token>> tokens = scan_value(scanner);
    if (!tokens.ok()) {
        return std::move(tokens).status();
    }
    if (tokens->empty()) {
        return Status::error(EINVAL, "Expecting a JSON value");
    }
    Result<std::optional<Options>> options = Flattener(*tokens).run();
    if (!options.ok()) {
        return options;
    }
    Result<std::optional<Token>> more = scanner.next();
    if (!more.ok() || *more) {
        return Status::error(EINVAL, "Expecting at most one JSON value");
    }
    return options;
}

Result<Options> parse_json_options(std::string_view json) {
    Result<std::optional<Options>> options = parse_json_object(json);
    if (!options.ok()) {
        return Status::error(EINVAL, "Could not parse the JSON options: " + options.status().message());
    }
    if (!*options) {
        return Status::error(EINVAL, "Invalid JSON object given");
    }
    return std::move(**options);
}

} // namespace zoneio
