// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/enum_word.h"
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

/// A value that is there but has no use as an option: JSON null, {} and [].
struct EmptyValue {
    enum class Kind : uint8_t { null, object, list } kind = Kind::null;

    EmptyValue(Kind what = Kind::null) : kind(what) {}
    // Not trivial: of strings and trivial types libstdc++ believes that a variant always holds one of them, and so crashes
    // where memory runs out in the copy of a string.
    EmptyValue(const EmptyValue& other) : kind(other.kind) {}
    EmptyValue& operator=(const EmptyValue& other) = default;
    ~EmptyValue() = default;
    bool operator==(const EmptyValue&) const = default;
};

/// What an option is set to. `k=v` strings give text only; JSON also the other types.
using OptionValue = std::variant<std::string, bool, int64_t, uint64_t, double, EmptyValue>;

/// Where Options::take_all puts an option, and how it reads it.
struct OptionTarget {
    using Parse = Status (*)(std::string_view key, std::string_view text, void* target);

    OptionTarget(std::string_view name, std::optional<std::string>& target);
    OptionTarget(std::string_view name, std::optional<bool>& target);
    /// A size in bytes, in the grammar of parse_size.
    static OptionTarget size(std::string_view name, std::optional<uint64_t>& target);
    /// A plain number.
    static OptionTarget number(std::string_view name, std::optional<uint64_t>& target);

    std::string_view key;
    Parse parse;
    void* target;

private:
    OptionTarget(std::string_view name, Parse parser, void* where) : key(name), parse(parser), target(where) {}
};

/// The options of a node and, with dotted keys (`file.filename`), of those below it.
///
/// Whoever understands an option takes it out; what is left when a node has opened is unknown
/// and makes opening fail.
class Options {
public:
    bool empty() const { return entries_.empty(); }
    bool contains(std::string_view key) const { return find(key) != nullptr; }

    void set(std::string key, OptionValue value);
    /// Sets a key that is not there yet.
    void set_default(std::string key, OptionValue value);
    void erase(std::string_view key);
    /// Adds the other's keys; those that are here already stay as they are.
    void merge_missing(const Options& other);

    /// The value of a key, or null. Good until an option is set, erased or taken.
    const OptionValue* find(std::string_view key) const;
    /// The text of a key, or null when it is absent or of another type. Good as long as that of find().
    const std::string* find_text(std::string_view key) const;

    /// Takes a key out as text, whatever type it has: JSON numbers become digits, true and false become on
    /// and off. Null, {} and [] count as absent.
    std::optional<std::string> take(std::string_view key);
    /// Takes several keys out and parses them; targets of absent keys stay as they are.
    ///
    /// With several errors the one that upstream meets first is returned, see first_unknown().
    Status take_all(std::initializer_list<OptionTarget> targets);

    /// Takes out all keys below `prefix.` and returns them without it.
    Options take_subtree(std::string_view prefix);

    /// The options of this node, without those below them: the parts of keys before the first dot, in upstream's order.
    std::vector<std::string> names() const;
    /// The key that upstream reports first when several are unknown; nothing when there is none at all.
    std::optional<std::string> first_unknown() const;
    /// The first key, in alphabetical order, that starts with this. Good as long as what find() returns.
    std::optional<std::string_view> first_with(std::string_view begin) const;
    /// As a JSON object, in upstream's order. `objects`: more keys, with values that are JSON already.
    std::string to_json(const std::map<std::string, std::string, std::less<>>& objects = {}) const;

    size_t size() const { return entries_.size(); }
    /// All keys, in alphabetical order, with their values.
    std::vector<std::pair<std::string, OptionValue>> all() const;

private:
    /// A key shares its text with those it was copied or taken from: a chain of n nodes has n keys of n parts, which are
    /// handed down n times.
    struct Entry {
        std::shared_ptr<const std::string> text;
        size_t begin; ///< where in the text the key begins
        OptionValue value;

        std::string_view key() const { return std::string_view(*text).substr(begin); }
    };
    using Entries = std::vector<Entry>;

    /// Where a key is, or would be.
    Entries::const_iterator position(std::string_view key) const;
    bool is_at(Entries::const_iterator position, std::string_view key) const {
        return position != entries_.end() && position->key() == key;
    }

    Entries entries_; ///< in alphabetical order
};

/// The text of a value as Options::take gives it; nothing for EmptyValue.
std::optional<std::string> option_text(const OptionValue& value);

/// on/off/yes/no/true/false/y/n; else the error that names the parameter.
Status parse_option_bool(std::string_view key, std::string_view text, bool& value);
Status parse_option_size(std::string_view key, std::string_view text, uint64_t& value);
Status parse_option_number(std::string_view key, std::string_view text, uint64_t& value);

/// Is this a name for a node or an object: a letter, then letters, digits, `-`, `.` and `_`?
bool is_identifier(std::string_view text);

/// One `key=value` of an option string, in the order given.
struct KeyValue {
    std::string key;
    std::string value;
    bool is_flag = false; ///< it stood there without a value
};

/// A parsed option string with the warnings that reading it gave.
struct OptionString {
    std::vector<KeyValue> pairs;
    std::optional<std::string> id; ///< the value of `id=`, which has rules of its own
    std::vector<std::string> warnings;
};

/// Parses `k=v,k=v`; `,,` is a comma in a value. `implied_key` is the key of a first word without `=`.
OptionString parse_option_string(std::string_view text, std::string_view implied_key = {});

/// Reads a value up to the next single comma and cuts it off; a doubled comma stands for one.
std::string take_option_value(std::string_view& rest);

/// The error for an id that is no identifier.
Status check_identifier(std::string_view key, std::string_view text);

/// Parses a JSON object into keys whose parts are joined by `separator`; nothing when it is another value.
Result<std::optional<Options>> parse_json_object(std::string_view json, char separator = '.');

/// The same for the rest of a `json:` name.
Result<Options> parse_json_options(std::string_view json);

} // namespace zoneio
