// SPDX-License-Identifier: GPL-3.0-or-later
//
// The structure of the JSON in `json:` names. Tokens are read one at a time, so the first error in the text is the one
// reported.
#include "block/options/json_scanner.h"
#include "block/options/options.h"

#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace zoneio {

namespace {

/// Builds dotted keys from the tokens of one value.
class Flattener {
public:
    Flattener(std::string_view json, char separator) : scanner_(json), separator_(separator) {}

    /// The options, or nothing if the value is not an object.
    Result<std::optional<Options>> run() {
        TRY(advance());
        if (at_end()) {
            return Status::invalid("Expecting a JSON value");
        }
        const bool is_object = at("{");
        TRY(is_object ? parse_object("", true) : parse_value(""));
        if (!advance().ok() || !at_end()) {
            return Status::invalid("Expecting at most one JSON value");
        }
        options_.prefer_last();
        return is_object ? std::optional<Options>(std::move(options_)) : std::nullopt;
    }

private:
    Status advance() {
        token_ = TRY(scanner_.next());
        return {};
    }

    bool at_end() const { return token_.kind == JsonTokenKind::end; }
    bool at(std::string_view punctuation) const {
        return token_.kind == JsonTokenKind::punctuation && token_.text == punctuation;
    }
    Status unexpected(std::string_view what) const {
        return json_syntax_error(token_, at_end() ? "premature end of input" : what);
    }

    /// Sets a key. The key of nested objects overrides the same dotted key at the top.
    void set(const std::string& key, OptionValue value) {
        if (depth_ == 1) {
            options_.set_default(key, std::move(value));
        } else {
            options_.set(key, std::move(value));
        }
    }

    // Each of these functions starts at the first token of the value and ends at its last token.

    Status parse_object(const std::string& prefix, bool top) {
        TRY(advance());
        if (at("}")) {
            if (!top) {
                set(prefix, EmptyValue{EmptyValue::Kind::object});
            }
            return {};
        }
        std::set<std::string> seen;
        return parse_members("}", [&] { return parse_pair(prefix, top, seen); });
    }

    /// Parses what commas separate, up to `end`.
    template <typename ParseMember>
    Status parse_members(const char* end, ParseMember parse_member) {
        depth_++;
        while (true) {
            TRY(parse_member());
            TRY(advance());
            if (!at(",")) {
                break;
            }
            TRY(advance());
        }
        depth_--;
        return at(end) ? Status() : unexpected(fmt::format("expected ',' or '{}'", end));
    }

    Status parse_pair(const std::string& prefix, bool top, std::set<std::string>& seen) {
        if (token_.kind != JsonTokenKind::string) {
            return unexpected("expecting key");
        }
        const std::string key = TRY(decode_json_string(token_));
        TRY(advance());
        if (!at(":")) {
            return unexpected("expecting ':'");
        }
        TRY(advance());
        // A duplicate is reported only after its value has been parsed.
        const bool duplicate = !seen.insert(key).second;
        TRY(parse_value(top ? key : prefix + separator_ + key));
        return duplicate ? json_syntax_error(token_, "duplicate key") : Status();
    }

    Status parse_array(const std::string& prefix) {
        TRY(advance());
        if (at("]")) {
            set(prefix, EmptyValue{EmptyValue::Kind::list});
            return {};
        }
        size_t index = 0;
        return parse_members("]", [&] { return parse_value(prefix + separator_ + std::to_string(index++)); });
    }

    Status parse_value(const std::string& key) {
        switch (token_.kind) {
        case JsonTokenKind::end: return unexpected("");
        case JsonTokenKind::punctuation:
            if (at("{")) {
                return parse_object(key, false);
            }
            if (at("[")) {
                return parse_array(key);
            }
            return unexpected("expecting value");
        case JsonTokenKind::string: {
            std::string text = TRY(decode_json_string(token_));
            set(key, text);
            break;
        }
        case JsonTokenKind::keyword:
            if (token_.text == "true" || token_.text == "false") {
                set(key, token_.text == "true");
            } else if (token_.text == "null") {
                set(key, EmptyValue{});
            } else {
                return unexpected(fmt::format("invalid keyword '{}'", token_.text));
            }
            break;
        case JsonTokenKind::number: set(key, number(std::string(token_.text))); break;
        }
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

    JsonScanner scanner_;
    JsonToken token_;
    const char separator_;
    int depth_ = 0;
    Options options_;
};

} // namespace

Result<std::optional<Options>> parse_json_object(std::string_view json, char separator) {
    return Flattener(json, separator).run();
}

Result<Options> parse_json_options(std::string_view json) {
    Result<std::optional<Options>> options = parse_json_object(json);
    if (!options.ok()) {
        return Status::invalid("Could not parse the JSON options: " + options.status().message());
    }
    if (!*options) {
        return Status::invalid("Invalid JSON object given");
    }
    return std::move(**options);
}

} // namespace zoneio
