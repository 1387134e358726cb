// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <span>
#include <string>
#include <string_view>

namespace zoneio {

enum class PropertyType { text, integer, boolean, word, object, list };

/// A property that objects of a type may have.
struct Property {
    std::string_view name;
    PropertyType type;
    std::string_view shown_type = {};             ///< in help, where it has a name of its own
    std::span<const Property> members = {};       ///< of an object; of a list the one that all its elements are like
    std::span<const std::string_view> words = {}; ///< what a word may be
    bool required = false;

    /// `NAME=<TYPE>`, as help shows it.
    std::string help() const;
};

/// What was said of an object to make (--object).
class ObjectProperties {
public:
    /// Reads `TYPE,key=value,...`, where dots in keys make objects, or a JSON object. EINVAL with the reason for what is
    /// neither.
    static Result<ObjectProperties> parse(std::string_view spec);

    bool contains(std::string_view name) const { return values_.contains(name); }
    /// The text of a property, or null.
    const std::string* find_text(std::string_view name) const { return values_.find_text(name); }
    /// Is there a word `help` or `?` among them, in the place of a key?
    bool asks_for_help() const { return asks_for_help_; }
    /// Takes out a text that must be there.
    Status take_required(std::string_view name, std::string& value);
    /// Checks the types of all that is left and takes it out, with dotted keys. With several errors the one that comes first in
    /// the table is returned; what is in no table comes behind all that is.
    Result<Options> take_all(std::span<const Property> table);

private:
    /// Takes the members of an object, of all properties when `path` is empty.
    Status take_object(const std::string& path, std::span<const Property> table, Options& taken);
    Status take_list(const std::string& path, const Property& element, Options& taken);
    Status take_property(const std::string& path, const Property& property, Options& taken);
    Status check_value(const std::string& path, const Property& property, const OptionValue& value) const;
    Status check_lists() const;
    /// The first part behind `path` of the first key that is there.
    std::optional<std::string> first_member(const std::string& path) const;

    bool is_json_ = false;
    bool asks_for_help_ = false;
    /// Keys are paths, their parts joined by path_separator: a name in JSON may have dots of its own.
    Options values_;
};

} // namespace zoneio
