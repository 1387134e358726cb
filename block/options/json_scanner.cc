// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/options/json_scanner.h"

#include "block/base/utf8.h"

#include <cctype>
#include <fmt/format.h>
#include <optional>

namespace zoneio {

namespace {

// QEMU's limits. Hostile input must end in an error, not in a crash.
constexpr size_t max_token_size = 64U << 20;
constexpr size_t max_token_count = 2U << 20;
constexpr size_t max_nesting = 1024;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// False for control characters and for bytes that are in no UTF-8 text.
bool may_stand_in_string(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0xFE;
}

void append_utf8(std::string& out, uint32_t code) {
    if (code == 0) {
        // Option values become C strings later: an encoded zero byte must not shorten them.
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

/// Decodes a string token.
class StringDecoder {
public:
    explicit StringDecoder(const JsonToken& token) : token_(token), text_(token.text.substr(1, token.text.size() - 2)) {}

    Result<std::string> run() {
        while (!text_.empty()) {
            if (text_.front() == '\\') {
                TRY(decode_escape());
                continue;
            }
            const std::optional<Utf8Character> character = first_character(text_);
            if (!character || is_noncharacter(character->code)) {
                return json_syntax_error(token_, "invalid UTF-8 sequence in string");
            }
            out_ += text_.substr(0, character->length);
            text_.remove_prefix(character->length);
        }
        return std::move(out_);
    }

private:
    Status decode_escape() {
        static constexpr std::string_view names = "bfnrt\"'\\/";
        static constexpr std::string_view values = "\b\f\n\r\t\"'\\/";
        const char c = text_.size() > 1 ? text_[1] : '\0';
        if (c == 'u') {
            return decode_unicode();
        }
        const size_t index = names.find(c);
        if (c == '\0' || index == std::string_view::npos) {
            return json_syntax_error(token_, "invalid escape sequence in string");
        }
        out_.push_back(values[index]);
        text_.remove_prefix(2);
        return {};
    }

    /// The value of a `\uXXXX` at the start of the text; empty if there is none.
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
        const bool is_surrogate = code && *code >= 0xD800 && *code <= 0xDFFF;
        if (!code || is_surrogate || is_noncharacter(*code)) {
            // If the closing quote came too early for four digits, the message shows it too.
            const std::string_view with_quote(shown.data(), std::min(length, shown.size() + 1));
            return json_syntax_error(token_, fmt::format("{} is not a valid Unicode character", with_quote));
        }
        append_utf8(out_, *code);
        text_.remove_prefix(length);
        return {};
    }

    const JsonToken& token_;
    std::string_view text_;
    std::string out_;
};

} // namespace

Status json_syntax_error(const JsonToken& token, std::string_view what) {
    return Status::invalid(fmt::format("{}:{}: JSON parse error, {}", token.line, token.column, what));
}

Result<std::string> decode_json_string(const JsonToken& token) {
    return StringDecoder(token).run();
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

void JsonScanner::skip_spaces() {
    while (at(' ') || at('\t') || at('\r') || at('\n')) {
        if (text_[pos_++] == '\n') {
            line_++;
            line_begin_ = pos_;
        }
    }
}

Result<JsonToken> JsonScanner::next() {
    skip_spaces();
    begin_ = pos_;
    if (pos_ == text_.size()) {
        return taken(JsonTokenKind::end);
    }
    const char c = text_[pos_];
    if (std::string_view("{}[],:").find(c) != std::string_view::npos) {
        return punctuation();
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
    return stray_with_next();
}

Result<JsonToken> JsonScanner::punctuation() {
    const char c = text_[pos_++];
    if (c == '{' || c == '[') {
        open_brackets_++;
    } else if ((c == '}' || c == ']') && open_brackets_ > 0) {
        open_brackets_--;
    }
    if (open_brackets_ > max_nesting) {
        return Status::invalid("JSON nesting depth limit exceeded");
    }
    return token(JsonTokenKind::punctuation);
}

Result<JsonToken> JsonScanner::token(JsonTokenKind kind) {
    if (pos_ - begin_ > max_token_size) {
        return Status::invalid("JSON token size limit exceeded");
    }
    if (++token_count_ > max_token_count) {
        return Status::invalid("JSON token count limit exceeded");
    }
    JsonToken token = taken(kind);
    word_end_ = kind == JsonTokenKind::keyword || kind == JsonTokenKind::number ? pos_ : SIZE_MAX;
    return token;
}

JsonToken JsonScanner::taken(JsonTokenKind kind) const {
    // QEMU counts the character after a word or a number twice.
    const size_t counted_twice = begin_ == word_end_ ? 1 : 0;
    return {kind, text_.substr(begin_, pos_ - begin_), line_, begin_ - line_begin_ + 1 + counted_twice};
}

Status JsonScanner::stray() const {
    const JsonToken token = taken(JsonTokenKind::end);
    return json_syntax_error(token, fmt::format("stray '{}'", token.text));
}

/// Error for an incomplete token; its text includes the character at which it ended.
Status JsonScanner::stray_with_next() {
    if (pos_ < text_.size()) {
        pos_++;
    }
    return stray();
}

Result<JsonToken> JsonScanner::scan_string(char quote) {
    pos_++;
    while (pos_ < text_.size()) {
        const char c = text_[pos_++];
        if (c == quote) {
            return token(JsonTokenKind::string);
        }
        if (!may_stand_in_string(c)) {
            return stray();
        }
        if (c == '\\' && pos_ < text_.size() && !may_stand_in_string(text_[pos_++])) {
            return stray();
        }
    }
    return stray();
}

Result<JsonToken> JsonScanner::scan_number() {
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

} // namespace zoneio
