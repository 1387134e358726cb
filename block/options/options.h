// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zoneio {

/// A value that no option takes: JSON null, {} or [].
struct EmptyValue {
    enum class Kind : uint8_t { null, object, list } kind = Kind::null;

    EmptyValue(Kind what = Kind::null) noexcept : kind(what) {}
    // Not trivial on purpose. For a variant of std::string and trivial types, libstdc++ assumes that it always holds a
    // value, and crashes if copying the string runs out of memory.
    EmptyValue(const EmptyValue& other) noexcept : kind(other.kind) {}
    EmptyValue& operator=(const EmptyValue& other) = default;
    ~EmptyValue() = default;
    bool operator==(const EmptyValue&) const = default;
};

/// Value of an option. `k=v` strings give text only, JSON also the other types.
using OptionValue = std::variant<std::string, bool, int64_t, uint64_t, double, EmptyValue>;

/// Parses on/off/yes/no/true/false/y/n. EINVAL, with a text that names the key, for anything else.
Status parse_option_bool(std::string_view key, std::string_view text, bool& value);
Status parse_option_size(std::string_view key, std::string_view text, uint64_t& value);
Status parse_option_number(std::string_view key, std::string_view text, uint64_t& value);

/// Where Options::take_all stores an option, and how it parses it. A target has the type of the value, or is an optional of it.
struct OptionTarget {
    OptionTarget(std::string_view name, std::optional<std::string>& where) : OptionTarget(name, parse_into<keep_text>(where), &where) {}
    OptionTarget(std::string_view name, bool& where) : OptionTarget(name, parse_into<parse_option_bool>(where), &where) {}
    OptionTarget(std::string_view name, std::optional<bool>& where)
        : OptionTarget(name, parse_into<parse_option_bool>(where), &where) {}
    /// A size in bytes, as parse_size reads it.
    static OptionTarget size(std::string_view name, auto& where) { return {name, parse_into<parse_option_size>(where), &where}; }
    /// A plain number, as parse_number reads it.
    static OptionTarget number(std::string_view name, auto& where) { return {name, parse_into<parse_option_number>(where), &where}; }

    using Parse = Status (*)(std::string_view key, std::string_view text, void* target);

    std::string_view key;
    Parse parse;
    void* target;

private:
    OptionTarget(std::string_view name, Parse parser, void* where) : key(name), parse(parser), target(where) {}

    static Status keep_text(std::string_view /*key*/, std::string_view text, std::string& value) {
        value = text;
        return {};
    }
    template <typename T>
    static T value_type(Status (*)(std::string_view, std::string_view, T&));
    /// Parses text with `Function` and stores the value in a target of this type.
    template <auto Function, typename Target>
    static Parse parse_into(Target& /*target*/) {
        return [](std::string_view key, std::string_view text, void* target) -> Status {
            decltype(value_type(Function)) value{};
            TRY(Function(key, text, value));
            *static_cast<Target*>(target) = std::move(value);
            return {};
        };
    }
};

/// The options of a node and, with dotted keys (`file.filename`), of the nodes below it.
///
/// The code that handles an option takes it out. Options left after a node has opened are unknown, and opening fails.
class Options {
public:
    bool empty() const { return entries_.empty(); }
    bool contains(std::string_view key) const { return find(key) != nullptr; }

    void set(std::string key, OptionValue value);
    /// Sets a key unless it is set already.
    void set_default(std::string key, OptionValue value);
    void erase(std::string_view key);
    /// Adds the keys of `other` that are not set here.
    void merge_missing(const Options& other);

    /// The value of a key, or null. Valid until an option is set, erased or taken.
    const OptionValue* find(std::string_view key) const;
    /// The text of a key, or null if it is absent or has another type. Valid as long as the result of find().
    const std::string* find_text(std::string_view key) const;

    /// Takes a key out and returns it as text: JSON numbers become digits, true and false become on and off. Empty if
    /// the key is absent, or its value is null, {} or [].
    std::optional<std::string> take(std::string_view key);
    /// Takes several keys out and parses them. Targets of absent keys do not change.
    ///
    /// If several values are wrong, returns the error that QEMU reports, see first_unknown().
    Status take_all(std::initializer_list<OptionTarget> targets);

    /// Takes out all keys that start with `prefix.` and returns them without the prefix.
    Options take_subtree(std::string_view prefix);

    /// Names of this node's options in QEMU's order: the part of each key before the first dot.
    std::vector<std::string> names() const;
    /// The key that QEMU would report if all were unknown; empty if there are no keys.
    std::optional<std::string> first_unknown() const;
    /// Makes first_unknown() prefer the key that was set last, where it would prefer the first.
    void prefer_last();
    /// The first key, in alphabetical order, that starts with `begin`. Valid as long as the result of find().
    std::optional<std::string_view> first_with(std::string_view begin) const;
    /// All options as a JSON object in QEMU's order. `objects`: additional keys, whose values are JSON already.
    std::string to_json(const std::map<std::string, std::string, std::less<>>& objects = {}) const;

    size_t size() const { return entries_.size(); }
    /// All keys in alphabetical order, with their values.
    std::vector<std::pair<std::string, OptionValue>> all() const;

private:
    /// Keys share their text with the keys from which they were copied or taken: in a chain of n nodes, n keys of n
    /// parts are passed down n times.
    struct Entry {
        std::shared_ptr<const std::string> text;
        size_t begin; ///< position in the text where the key starts
        OptionValue value;
        int64_t turn; ///< grows with each key that is set

        std::string_view key() const { return std::string_view(*text).substr(begin); }
    };
    using Entries = std::vector<Entry>;

    /// The position of a key, or the one at which it would be inserted.
    Entries::const_iterator position(std::string_view key) const;
    bool is_at(Entries::const_iterator position, std::string_view key) const {
        return position != entries_.end() && position->key() == key;
    }

    static bool comes_before(const Entry& a, const Entry& b);

    Entries entries_; ///< in alphabetical order of keys
    int64_t turns_ = 0;
};

/// The text of a value, as Options::take returns it; empty for EmptyValue.
std::optional<std::string> option_text(const OptionValue& value);

/// True for a valid name of a node or an object: a letter, then letters, digits, `-`, `.` and `_`.
bool is_identifier(std::string_view text);

/// One `key=value` of an option string.
struct KeyValue {
    std::string key;
    std::string value;
    bool is_flag = false; ///< the key had no value
    std::string warning;  ///< of the parser; empty: none
};

/// A parsed option string.
struct OptionString {
    std::vector<KeyValue> pairs;
    std::optional<std::string> id; ///< value of `id=`, for which special rules hold
};

/// Parses `k=v,k=v`; `,,` stands for a comma in a value. A first word without `=` is the value of `implied_key`.
OptionString parse_option_string(std::string_view text, std::string_view implied_key = {});

/// Reads a value up to the next single comma, and removes both from `rest`. `,,` stands for a comma.
std::string take_option_value(std::string_view& rest);

/// EINVAL, with a text that names the key, if `text` is not an identifier.
Status check_identifier(std::string_view key, std::string_view text);

/// Parses a JSON object into keys whose parts are joined by `separator`. Empty if the JSON is another kind of value.
Result<std::optional<Options>> parse_json_object(std::string_view json, char separator = '.');

/// Parses the part of a `json:` name after the prefix.
Result<Options> parse_json_options(std::string_view json);

} // namespace zoneio
