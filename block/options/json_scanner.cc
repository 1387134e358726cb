// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/options/json_scanner.h"

#include "block/base/utf8.h"

#include <cctype>
#include <fmt/format.h>

namespace zoneio {

namespace {

// The same bounds as upstream's: hostile input must end in an error, not in a crash.
constexpr size_t max_token_size = 64U << 20;
constexpr size_t max_token_count = 2U << 20;
constexpr size_t max_nesting = 1024;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

Status stray(std::string_view text) {
    return json_syntax_error(fmt::format("stray '{}'", text));
}

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
            const std::optional<Utf8Character> character = first_character(text_);
            if (!character || is_noncharacter(character->code)) {
                return json_syntax_error("invalid UTF-8 sequence in string");
            }
            out_ += text_.substr(0, character->length);
            text_.remove_prefix(character->length);
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
            return json_syntax_error("invalid escape sequence in string");
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
            return json_syntax_error(fmt::format("{} is not a valid Unicode character", with_quote));
        }
        append_utf8(out_, *code);
        text_.remove_prefix(length);
        return {};
    }

    std::string_view text_;
    std::string out_;
};

} // namespace

Status json_syntax_error(std::string_view what) {
    return Status::error(EINVAL, fmt::format("JSON parse error, {}", what));
}

Result<std::string> decode_json_string(std::string_view token) {
    return StringDecoder::decode(token);
}

bool JsonScanner::at_digit() const {
    return pos_ < text_.size() && is_digit(text_[pos_]);
}

template <typename Predicate>
void JsonScanner::skip(Predicate predicate) {
    while (pos_ < text_.size() && predicate(text_[pos_])) {
        pos_++;
    }
}

Result<std::optional<JsonToken>> JsonScanner::next() {
    while (pos_ < text_.size() && std::string_view(" \t\r\n").find(text_[pos_]) != std::string_view::npos) {
        pos_++;
    }
    if (pos_ == text_.size()) {
        return std::optional<JsonToken>();
    }
    begin_ = pos_;
    const char c = text_[pos_];
    if (std::string_view("{}[],:").find(c) != std::string_view::npos) {
        pos_++;
        return token(JsonTokenKind::punctuation);
    }
    if (c == '"' || c == '\'') {
        return scan_string(c);
    }
    if (c >= 'a' && c <= 'z') {
        skip([](char k) { return k >= 'a' && k <= 'z'; });
        return token(JsonTokenKind::keyword);
    }
    if (c == '-' || is_digit(c)) {
        return scan_number();
    }
    pos_++;
    return stray(taken());
}

Result<std::optional<JsonToken>> JsonScanner::token(JsonTokenKind kind) {
    if (taken().size() > max_token_size) {
        return Status::error(EINVAL, "JSON token size limit exceeded");
    }
    return std::optional<JsonToken>(JsonToken{kind, taken()});
}

/// A token that broke off: the character at which it did belongs to what the message shows.
Status JsonScanner::stray_with_next() {
    if (pos_ < text_.size()) {
        pos_++;
    }
    return stray(taken());
}

Result<std::optional<JsonToken>> JsonScanner::scan_string(char quote) {
    pos_++;
    while (pos_ < text_.size()) {
        const char c = text_[pos_++];
        if (c == quote) {
            return token(JsonTokenKind::string);
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

Result<std::optional<JsonToken>> JsonScanner::scan_number() {
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
    return token(JsonTokenKind::number);
}

Result<std::vector<JsonToken>> JsonScanner::next_value() {
    // More closing brackets than open ones end a value too, as does a scalar outside of any.
    std::vector<JsonToken> tokens;
    int braces = 0;
    int brackets = 0;
    while (true) {
        Result<std::optional<JsonToken>> found = next();
        if (!found.ok()) {
            return std::move(found).status();
        }
        if (!*found) {
            return tokens;
        }
        const JsonToken next_token = **found;
        if (next_token.kind == JsonTokenKind::punctuation) {
            braces += next_token.text == "{" ? 1 : next_token.text == "}" ? -1 : 0;
            brackets += next_token.text == "[" ? 1 : next_token.text == "]" ? -1 : 0;
        }
        tokens.push_back(next_token);
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

} // namespace zoneio
