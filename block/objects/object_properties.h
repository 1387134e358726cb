// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <span>
#include <string>
#include <string_view>

namespace zoneio {

enum class PropertyType { text, integer, boolean, word, object, list };

/// Property::shown_type of integers of 32 bits.
inline constexpr std::string_view int32_type = "int32_t";

/// A property of a type of objects.
struct Property {
    std::string_view name;
    PropertyType type;
    std::string_view shown_type = {};             ///< type that help shows, if it is not the name of `type`
    std::span<const Property> members = {};       ///< members of an object; for a list, one property that describes all
                                                  ///< elements
    std::span<const std::string_view> words = {}; ///< words that the property accepts
    bool required = false;

    /// `NAME=<TYPE>`, as help prints it.
    std::string help() const;
};

/// The properties given for an object (--object).
class ObjectProperties {
public:
    /// Parses `TYPE,key=value,...`, where dots in keys make nested objects, or a JSON object. EINVAL with the reason.
    static Result<ObjectProperties> parse(std::string_view spec);

    bool contains(std::string_view name) const { return values_.contains(name); }
    /// The text of a property, or null if it is absent.
    const std::string* find_text(std::string_view name) const { return values_.find_text(name); }
    /// True if the words contained `help` or `?` instead of a key.
    bool asks_for_help() const { return asks_for_help_; }
    /// Takes out a text property. EINVAL if it is absent.
    Status take_required(std::string_view name, std::string& value);
    /// Checks the types of all remaining properties and takes them out, with dotted keys. Of several errors, the one
    /// that is first in the table is returned; properties that are not in the table come last.
    Result<Options> take_all(std::span<const Property> table);

private:
    /// Takes the members of the object at `path`, or all properties if `path` is empty.
    Status take_object(const std::string& path, std::span<const Property> table, Options& taken);
    Status take_list(const std::string& path, const Property& element, Options& taken);
    Status take_property(const std::string& path, const Property& property, Options& taken);
    Status check_value(const std::string& path, const Property& property, const OptionValue& value) const;
    Status check_lists() const;
    /// The first part after `path` of the first key below `path`; empty if there is none.
    std::optional<std::string> first_member(const std::string& path) const;

    bool is_json_ = false;
    bool asks_for_help_ = false;
    /// Keys are paths whose parts are joined by path_separator, because names in JSON may contain dots.
    Options values_;
};

/// The number of a property whose type has been checked; empty if it is absent.
std::optional<int64_t> number_of(const Options& properties, const std::string& key);

} // namespace zoneio
