// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/options/options.h"

#include "block/base/size.h"
#include "block/base/utf8.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <fmt/format.h>
#include <iterator>
#include <tuple>

namespace zoneio {

namespace {

constexpr std::string_view size_hint = "\nOptional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
                                       "and exabytes, respectively.";

/// The bucket in which QEMU's option dictionary stores a key: the hash of Samba's tdb, modulo 512.
///
/// QEMU reports only the first unknown option in the dictionary's order, so with several of them the message depends on
/// it.
unsigned dictionary_bucket(std::string_view key) {
    uint32_t hash = 0x238F13AF * static_cast<uint32_t>(key.size());
    uint32_t position = 0;
    for (const char c : key) {
        hash += static_cast<uint32_t>(static_cast<unsigned char>(c)) << (position * 5 % 24);
        position++;
    }
    return (1103515243 * hash + 12345) % 512;
}

/// Position where the key of the node above starts, of which the key at `begin` is the end. REQUIRES: begin > 0.
size_t begin_above(const std::string& text, size_t begin) {
    const size_t dot = begin < 2 ? std::string::npos : text.rfind('.', begin - 2);
    return dot == std::string::npos ? 0 : dot + 1;
}

/// Position of a key in QEMU's dictionary. Except for `driver`, the keys of one bucket are in the order that they had
/// in the dictionary of the node above.
std::tuple<unsigned, bool, unsigned> place_in_dictionary(const std::string& key) {
    return {dictionary_bucket(key), key == "driver", dictionary_bucket("file." + key)};
}

std::string empty_json(const EmptyValue& value) {
    switch (value.kind) {
    case EmptyValue::Kind::object: return "{}";
    case EmptyValue::Kind::list: return "[]";
    case EmptyValue::Kind::null: break;
    }
    return "null";
}

/// Number of bytes of an invalid character: as many continuation bytes as its first byte announces, if they follow.
size_t broken_length(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto announced = static_cast<size_t>(std::countl_one(byte(0)));
    const size_t most = std::min(announced >= 2 && announced <= 6 ? announced : 1, text.size());
    size_t length = 1;
    while (length < most && byte(length) >> 6 == 2) {
        length++;
    }
    return length;
}

/// A JSON string as QEMU writes it: ASCII only, with one replacement for each invalid character.
std::string json_string(std::string_view text) {
    static constexpr std::string_view special = "\"\\\b\f\n\r\t";
    static constexpr std::string_view letters = "\"\\bfnrt";
    std::string json = "\"";
    while (!text.empty()) {
        const std::optional<Utf8Character> character = first_character(text);
        const size_t known = special.find(text.front());
        const char32_t code = character && !is_noncharacter(character->code) ? character->code : 0xFFFD;
        if (known != std::string_view::npos) {
            json += {'\\', letters[known]};
        } else if (code >= ' ' && code < 0x7F) {
            json += text.front();
        } else if (code < 0x10000) {
            json += fmt::format("\\u{:04X}", static_cast<unsigned>(code));
        } else {
            const auto above = static_cast<unsigned>(code - 0x10000);
            json += fmt::format("\\u{:04X}\\u{:04X}", 0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF));
        }
        text.remove_prefix(character ? character->length : broken_length(text));
    }
    return json + '"';
}

Status bad_value(std::string_view key, ValueKind expected, std::string_view shown) {
    return Status::invalid(fmt::format("Parameter '{}' expects {}", key, shown))
        .because(Cause::bad_option_value, {.name = std::string(key), .expected = expected});
}

/// A key without a value is a flag: `foo` means foo=on, `nofoo` means foo=off.
KeyValue flag_pair(std::string_view word) {
    KeyValue pair{std::string(word), "on", true, {}};
    if (word.starts_with("no")) {
        pair = {std::string(word.substr(2)), "off", true, {}};
    }
    if (word != "help" && word != "?") {
        pair.warning = fmt::format("short-form boolean option '{}' deprecated\nPlease use {}={} instead", word, pair.key, pair.value);
    }
    return pair;
}

} // namespace

Options::Entries::const_iterator Options::position(std::string_view key) const {
    return std::lower_bound(entries_.begin(), entries_.end(), key,
                            [](const Entry& entry, std::string_view wanted) { return entry.key() < wanted; });
}

void Options::set(std::string key, OptionValue value) {
    const auto found = position(key);
    if (is_at(found, key)) {
        entries_[static_cast<size_t>(found - entries_.begin())].value = std::move(value);
    } else {
        entries_.insert(found, {std::make_shared<const std::string>(std::move(key)), 0, std::move(value), turns_++});
    }
}

void Options::set_default(std::string key, OptionValue value) {
    if (!contains(key)) {
        set(std::move(key), std::move(value));
    }
}

void Options::erase(std::string_view key) {
    if (const auto found = position(key); is_at(found, key)) {
        entries_.erase(found);
    }
}

void Options::merge_missing(const Options& other) {
    Entries merged;
    merged.reserve(entries_.size() + other.entries_.size());
    // Of two equal keys, set_union keeps the first.
    std::set_union(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(), std::back_inserter(merged),
                   [](const Entry& a, const Entry& b) { return a.key() < b.key(); });
    entries_ = std::move(merged);
}

const OptionValue* Options::find(std::string_view key) const {
    const auto found = position(key);
    return is_at(found, key) ? &found->value : nullptr;
}

const std::string* Options::find_text(std::string_view key) const {
    const OptionValue* value = find(key);
    return value == nullptr ? nullptr : std::get_if<std::string>(value);
}

std::optional<std::string> Options::take(std::string_view key) {
    const auto found = position(key);
    if (!is_at(found, key)) {
        return std::nullopt;
    }
    std::optional<std::string> text = option_text(found->value);
    entries_.erase(found);
    return text;
}

Status Options::take_all(std::initializer_list<OptionTarget> targets) {
    std::vector<OptionTarget> order;
    std::copy_if(targets.begin(), targets.end(), std::back_inserter(order),
                 [this](const OptionTarget& target) { return contains(target.key); });
    std::sort(order.begin(), order.end(),
              [](const auto& a, const auto& b) { return dictionary_bucket(a.key) < dictionary_bucket(b.key); });
    for (const OptionTarget& target : order) {
        const std::optional<std::string> text = take(target.key);
        if (!text) {
            continue;
        }
        TRY(target.parse(target.key, *text, target.target));
    }
    return {};
}

Options Options::take_subtree(std::string_view prefix) {
    const std::string begin = std::string(prefix) + '.';
    const auto first = entries_.begin() + (position(begin) - entries_.begin());
    const auto end = std::find_if(first, entries_.end(), [&](const Entry& entry) { return !entry.key().starts_with(begin); });
    Options subtree;
    subtree.entries_.assign(std::move_iterator(first), std::move_iterator(end));
    entries_.erase(first, end);
    // Removing the prefix that all have in common keeps their order.
    for (Entry& entry : subtree.entries_) {
        entry.begin += begin.size();
    }
    return subtree;
}

std::vector<std::string> Options::names() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) {
        std::string name(entry.key().substr(0, entry.key().find('.')));
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(std::move(name));
        }
    }
    std::sort(names.begin(), names.end(),
              [](const std::string& a, const std::string& b) { return dictionary_bucket(a) < dictionary_bucket(b); });
    return names;
}

/// The order of QEMU's dictionary: by buckets. Keys of one bucket are in the order that they had in the dictionary of the node
/// above; in the first one, in the order in which they were set.
bool Options::comes_before(const Entry& a, const Entry& b) {
    for (size_t begin_a = a.begin, begin_b = b.begin;;) {
        const unsigned bucket_a = dictionary_bucket(std::string_view(*a.text).substr(begin_a));
        const unsigned bucket_b = dictionary_bucket(std::string_view(*b.text).substr(begin_b));
        if (bucket_a != bucket_b) {
            return bucket_a < bucket_b;
        }
        if (begin_a == 0 || begin_b == 0) {
            return a.turn < b.turn;
        }
        begin_a = begin_above(*a.text, begin_a);
        begin_b = begin_above(*b.text, begin_b);
    }
}

void Options::prefer_last() {
    for (Entry& entry : entries_) {
        entry.turn = -entry.turn;
    }
}

std::optional<std::string> Options::first_unknown() const {
    const auto first = std::min_element(entries_.begin(), entries_.end(), comes_before);
    return first == entries_.end() ? std::nullopt : std::optional<std::string>(first->key());
}

std::optional<std::string_view> Options::first_with(std::string_view begin) const {
    const auto found = position(begin);
    return found != entries_.end() && found->key().starts_with(begin) ? std::optional(found->key()) : std::nullopt;
}

std::vector<std::pair<std::string, OptionValue>> Options::all() const {
    std::vector<std::pair<std::string, OptionValue>> pairs;
    pairs.reserve(entries_.size());
    for (const Entry& entry : entries_) {
        pairs.emplace_back(entry.key(), entry.value);
    }
    return pairs;
}

std::string Options::to_json(const std::map<std::string, std::string, std::less<>>& objects) const {
    std::map<std::string, std::string, std::less<>> members = objects;
    for (const Entry& entry : entries_) {
        const OptionValue& value = entry.value;
        const bool* flag = std::get_if<bool>(&value);
        const EmptyValue* empty = std::get_if<EmptyValue>(&value);
        const std::string text = flag != nullptr    ? (*flag ? "true" : "false")
                                 : empty != nullptr ? empty_json(*empty)
                                                    : *option_text(value);
        members[std::string(entry.key())] = std::holds_alternative<std::string>(value) ? json_string(text) : text;
    }
    std::vector<const std::string*> keys;
    keys.reserve(members.size());
    for (const auto& [key, value] : members) {
        keys.push_back(&key);
    }
    std::stable_sort(keys.begin(), keys.end(), [](const std::string* a, const std::string* b) {
        return place_in_dictionary(*a) < place_in_dictionary(*b);
    });
    std::string json = "{";
    for (const std::string* key : keys) {
        json += fmt::format("{}\"{}\": {}", json.size() > 1 ? ", " : "", *key, members[*key]);
    }
    return json + '}';
}

std::optional<std::string> option_text(const OptionValue& value) {
    struct Visitor {
        std::optional<std::string> operator()(const std::string& text) const { return text; }
        std::optional<std::string> operator()(bool flag) const { return flag ? "on" : "off"; }
        std::optional<std::string> operator()(int64_t number) const { return std::to_string(number); }
        std::optional<std::string> operator()(uint64_t number) const { return std::to_string(number); }
        std::optional<std::string> operator()(double number) const { return fmt::format("{:.17g}", number); }
        std::optional<std::string> operator()(const EmptyValue& /*value*/) const { return std::nullopt; }
    };
    return std::visit(Visitor{}, value);
}

Status parse_option_bool(std::string_view key, std::string_view text, bool& value) {
    for (const std::string_view word : {"on", "yes", "true", "y"}) {
        if (text == word) {
            value = true;
            return {};
        }
    }
    for (const std::string_view word : {"off", "no", "false", "n"}) {
        if (text == word) {
            value = false;
            return {};
        }
    }
    return bad_value(key, ValueKind::on_off, "'on' or 'off'");
}

Status parse_option_size(std::string_view key, std::string_view text, uint64_t& value) {
    switch (parse_size(text, value)) {
    case ParseError::none: return {};
    case ParseError::out_of_range:
        return Status::invalid(fmt::format("Value '{}' is out of range for parameter '{}'", text, key));
    case ParseError::invalid: break;
    }
    return bad_value(key, ValueKind::size, fmt::format("a non-negative number below 2^64{}", size_hint));
}

Status parse_option_number(std::string_view key, std::string_view text, uint64_t& value) {
    switch (parse_number(text, value)) {
    case ParseError::none: return {};
    case ParseError::out_of_range:
        return Status::invalid(fmt::format("Value '{}' is too large for parameter '{}'", text, key));
    case ParseError::invalid: break;
    }
    return bad_value(key, ValueKind::number, "a number");
}

Status invalid_enum_word(std::string_view word) {
    return Status::invalid(fmt::format("invalid parameter value: {}", word));
}

bool is_identifier(std::string_view text) {
    const auto is_name_char = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_'; };
    return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) &&
           std::all_of(text.begin(), text.end(), is_name_char);
}

Status check_identifier(std::string_view key, std::string_view text) {
    if (is_identifier(text)) {
        return {};
    }
    return bad_value(key, ValueKind::identifier,
                     "an identifier\nIdentifiers consist of letters, digits, '-', '.', '_', starting with a letter.");
}

std::string take_option_value(std::string_view& rest) {
    std::string value;
    while (!rest.empty()) {
        if (rest.front() == ',') {
            if (rest.size() < 2 || rest[1] != ',') {
                break;
            }
            rest.remove_prefix(1);
        }
        value.push_back(rest.front());
        rest.remove_prefix(1);
    }
    return value;
}

OptionString parse_option_string(std::string_view text, std::string_view implied_key) {
    OptionString parsed;
    std::string_view rest = text;
    bool first = true;
    while (!rest.empty()) {
        const size_t end = std::min(rest.find_first_of("=,"), rest.size());
        KeyValue pair;
        if (end < rest.size() && rest[end] == '=') {
            pair.key = rest.substr(0, end);
            rest.remove_prefix(end + 1);
            pair.value = take_option_value(rest);
        } else if (first && !implied_key.empty()) {
            pair.key = implied_key;
            pair.value = take_option_value(rest);
        } else {
            pair = flag_pair(rest.substr(0, end));
            rest.remove_prefix(end);
        }
        if (!rest.empty()) {
            rest.remove_prefix(1);
        }
        if (pair.key == "id" && !parsed.id) {
            parsed.id = pair.value;
        }
        parsed.pairs.push_back(std::move(pair));
        first = false;
    }
    return parsed;
}

} // namespace zoneio
