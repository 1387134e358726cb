// SPDX-License-Identifier: GPL-3.0-or-later
//
// The structure of the JSON of `json:` names. The scanner reads on until brackets balance; only then is it looked at.
#include "block/options/json_scanner.h"
#include "block/options/options.h"

#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace zoneio {

namespace {

/// Builds dotted keys straight from the tokens of one value.
class Flattener {
public:
    Flattener(const std::vector<JsonToken>& tokens, char separator) : tokens_(tokens), separator_(separator) {}

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
        return pos_ < tokens_.size() && tokens_[pos_].kind == JsonTokenKind::punctuation && tokens_[pos_].text == punctuation;
    }

    bool accept(std::string_view punctuation) {
        const bool found = peek_is(punctuation);
        pos_ += found ? 1 : 0;
        return found;
    }

    bool at_end() const { return pos_ == tokens_.size(); }
    static Status premature_end() { return json_syntax_error("premature EOI"); }

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
                set(prefix, EmptyValue{EmptyValue::Kind::object});
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
        return at_end() ? premature_end() : json_syntax_error("expected separator in dict");
    }

    Status parse_pair(const std::string& prefix, bool top, std::set<std::string>& seen) {
        if (at_end()) {
            return premature_end();
        }
        if (tokens_[pos_].kind != JsonTokenKind::string) {
            return bad_key();
        }
        Result<std::string> key = decode_json_string(tokens_[pos_].text);
        if (!key.ok()) {
            return std::move(key).status();
        }
        pos_++;
        if (!accept(":")) {
            return at_end() ? premature_end() : json_syntax_error("missing : in object pair");
        }
        // A duplicate is noticed only after its value was understood.
        const bool duplicate = !seen.insert(*key).second;
        Status status = parse_value(top ? *key : prefix + separator_ + *key);
        if (status.ok() && duplicate) {
            return json_syntax_error("duplicate key");
        }
        return status;
    }

    /// What stands in place of a key is parsed as a value first, and its errors win.
    Status bad_key() {
        Status status = parse_value("");
        return status.ok() ? json_syntax_error("key is not a string in object") : std::move(status);
    }

    Status parse_array(const std::string& prefix) {
        pos_++;
        if (accept("]")) {
            set(prefix, EmptyValue{EmptyValue::Kind::list});
            return {};
        }
        depth_++;
        size_t index = 0;
        do {
            if (at_end()) {
                return premature_end();
            }
            Status status = parse_value(prefix + separator_ + std::to_string(index++));
            if (!status.ok()) {
                return status;
            }
        } while (accept(","));
        depth_--;
        if (accept("]")) {
            return {};
        }
        return at_end() ? premature_end() : json_syntax_error("expected separator in list");
    }

    Status parse_value(const std::string& key) {
        if (at_end()) {
            return premature_end();
        }
        const JsonToken& token = tokens_[pos_];
        switch (token.kind) {
        case JsonTokenKind::punctuation:
            if (token.text == "{") {
                return parse_object(key, false);
            }
            if (token.text == "[") {
                return parse_array(key);
            }
            return json_syntax_error("expecting value");
        case JsonTokenKind::string: {
            Result<std::string> text = decode_json_string(token.text);
            if (!text.ok()) {
                return std::move(text).status();
            }
            set(key, *text);
            break;
        }
        case JsonTokenKind::keyword:
            if (token.text == "true" || token.text == "false") {
                set(key, token.text == "true");
            } else if (token.text == "null") {
                set(key, EmptyValue{});
            } else {
                return json_syntax_error(fmt::format("invalid keyword '{}'", token.text));
            }
            break;
        case JsonTokenKind::number: set(key, number(std::string(token.text))); break;
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

    const std::vector<JsonToken>& tokens_;
    const char separator_;
    size_t pos_ = 0;
    int depth_ = 0;
    Options options_;
};

} // namespace

Result<std::optional<Options>> parse_json_object(std::string_view json, char separator) {
    JsonScanner scanner(json);
    Result<std::vector<JsonToken>> tokens = scanner.next_value();
    if (!tokens.ok()) {
        return std::move(tokens).status();
    }
    if (tokens->empty()) {
        return Status::error(EINVAL, "Expecting a JSON value");
    }
    Result<std::optional<Options>> options = Flattener(*tokens, separator).run();
    if (!options.ok()) {
        return options;
    }
    Result<std::optional<JsonToken>> more = scanner.next();
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
