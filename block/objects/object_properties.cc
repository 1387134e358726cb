// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/object_properties.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

namespace zoneio {

namespace {

constexpr char path_separator = '\x1f';

Status wrong_type(std::string_view name, std::string_view expected) {
    return Status::invalid(fmt::format("Invalid parameter type for '{}', expected: {}", name, expected));
}

Status inconsistent(std::string_view name) {
    return Status::invalid(fmt::format("Parameters '{}.*' used inconsistently", name));
}

std::string path_of(std::string key) {
    std::replace(key.begin(), key.end(), '.', path_separator);
    return key;
}

std::string shown(std::string path) {
    std::replace(path.begin(), path.end(), path_separator, '.');
    return path;
}

std::string joined(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + path_separator + std::string(name);
}

bool is_index(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// True for a valid key: parts separated by dots. The first part starts with a letter; the others may also be an index.
bool is_key(std::string_view key) {
    bool is_first = true;
    while (true) {
        const std::string_view part = key.substr(0, key.find('.'));
        const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
        const bool begins_well = !part.empty() && std::isalpha(static_cast<unsigned char>(part.front()));
        if (!(begins_well && std::all_of(part.begin(), part.end(), fits)) && (is_first || !is_index(part))) {
            return false;
        }
        if (part.size() == key.size()) {
            return true;
        }
        key.remove_prefix(part.size() + 1);
        is_first = false;
    }
}

/// Adds a key. EINVAL if it would be both a value and an object.
Status add(Options& values, const std::string& path, std::string value) {
    for (size_t end = path.find(path_separator); end != std::string::npos; end = path.find(path_separator, end + 1)) {
        if (values.contains(path.substr(0, end))) {
            return inconsistent(shown(path.substr(0, end)));
        }
    }
    if (values.first_with(path + path_separator)) {
        return inconsistent(shown(path));
    }
    values.set(path, std::move(value));
    return {};
}

/// Parses `key=value,...`, where `,,` stands for a comma in a value. A word without a value is an error, unless it asks
/// for help.
Result<Options> parse_words(std::string_view spec, bool& asks_for_help) {
    Options values;
    bool first = true;
    while (!spec.empty()) {
        const size_t end = std::min(spec.find_first_of("=,"), spec.size());
        std::string key(spec.substr(0, end));
        const bool has_value = end < spec.size() && spec[end] == '=';
        if (!has_value && (key == "help" || key == "?")) {
            asks_for_help = true;
            first = false;
            spec.remove_prefix(std::min(end + 1, spec.size()));
            continue;
        }
        if (!has_value && first && !key.empty()) {
            TRY(add(values, "qom-type", std::move(key)));
            spec.remove_prefix(end);
        } else {
            if (!is_key(key)) {
                return Status::invalid(fmt::format("Invalid parameter '{}'", key));
            }
            if (!has_value) {
                return Status::invalid(fmt::format("Expected '=' after parameter '{}'", key));
            }
            spec.remove_prefix(end + 1);
            TRY(add(values, path_of(std::move(key)), take_option_value(spec)));
        }
        first = false;
        spec.remove_prefix(spec.empty() ? 0 : 1);
    }
    return values;
}

int64_t integer_of(const OptionValue& value) {
    return strtoll(option_text(value).value_or("0").c_str(), nullptr, 0);
}

/// EINVAL unless the value is a signed integer; in JSON a string is not one.
Status check_integer(std::string_view name, const OptionValue& value, bool is_json) {
    if (is_json) {
        return std::holds_alternative<int64_t>(value) ? Status() : wrong_type(name, "integer");
    }
    const std::string& text = std::get<std::string>(value);
    char* end = nullptr;
    errno = 0;
    (void)strtoll(text.c_str(), &end, 0);
    return text.empty() || *end != '\0' || errno != 0 ? Status::invalid(fmt::format("Parameter '{}' expects integer", name)) : Status();
}

Status check_boolean(std::string_view name, const OptionValue& value, bool is_json) {
    if (is_json) {
        return std::holds_alternative<bool>(value) ? Status() : wrong_type(name, "boolean");
    }
    static constexpr std::string_view words[] = {"on", "yes", "true", "y", "off", "no", "false", "n"};
    const bool is_known = std::find(std::begin(words), std::end(words), std::get<std::string>(value)) != std::end(words);
    return is_known ? Status() : Status::invalid(fmt::format("Parameter '{}' expects 'on' or 'off'", name));
}

/// EINVAL unless the text is one of the property's words. The message has the name of the property without its path.
Status check_word(const Property& property, const std::string& text) {
    return std::find(property.words.begin(), property.words.end(), text) != property.words.end()
               ? Status()
               : Status::invalid(fmt::format("Parameter '{}' does not accept value '{}'", property.name, text));
}

std::string_view type_name(PropertyType type) {
    switch (type) {
    case PropertyType::integer: return "integer";
    case PropertyType::boolean: return "boolean";
    case PropertyType::object: return "object";
    case PropertyType::list: return "array";
    case PropertyType::text:
    case PropertyType::word: break;
    }
    return "string";
}

} // namespace

std::optional<int64_t> number_of(const Options& properties, const std::string& key) {
    const OptionValue* const value = properties.find(key);
    return value != nullptr ? std::optional(integer_of(*value)) : std::nullopt;
}

std::string Property::help() const {
    const std::string_view common = type == PropertyType::integer ? "int" : type == PropertyType::boolean ? "bool" : "string";
    return fmt::format("{}=<{}>", name, shown_type.empty() ? common : shown_type);
}

Result<ObjectProperties> ObjectProperties::parse(std::string_view spec) {
    ObjectProperties properties;
    properties.is_json_ = spec.starts_with('{');
    if (!properties.is_json_) {
        properties.values_ = TRY(parse_words(spec, properties.asks_for_help_));
        TRY(properties.check_lists());
        return properties;
    }
    std::optional<Options> parsed = TRY(parse_json_object(spec, path_separator));
    properties.values_ = std::move(*parsed);
    return properties;
}

/// If one member of an object is an index, all must be, counting from 0.
Status ObjectProperties::check_lists() const {
    const auto all = values_.all();
    for (const auto& [key, value] : all) {
        for (size_t end = key.find(path_separator); end != std::string::npos; end = key.find(path_separator, end + 1)) {
            const std::string path = key.substr(0, end);
            if (!is_index(std::string_view(key).substr(end + 1, key.find(path_separator, end + 1) - end - 1))) {
                continue;
            }
            const std::string begin = path + path_separator;
            std::set<std::string_view> indexes;
            const auto first = std::lower_bound(all.begin(), all.end(), begin,
                                                [](const auto& pair, const std::string& wanted) { return pair.first < wanted; });
            for (auto it = first; it != all.end() && it->first.starts_with(begin); ++it) {
                const std::string_view member(it->first);
                const std::string_view number =
                    member.substr(begin.size(), member.find(path_separator, begin.size()) - begin.size());
                if (!is_index(number)) {
                    return inconsistent(shown(path));
                }
                indexes.insert(number);
            }
            for (size_t index = 0; index < indexes.size(); index++) {
                const std::string wanted = joined(path, std::to_string(index));
                if (!values_.contains(wanted) && !first_member(wanted)) {
                    return Status::invalid(fmt::format("Parameter '{}' missing", shown(wanted)));
                }
            }
        }
    }
    return {};
}

std::optional<std::string> ObjectProperties::first_member(const std::string& path) const {
    const std::string begin = path.empty() ? path : path + path_separator;
    const std::optional<std::string_view> first = values_.first_with(begin);
    if (!first) {
        return std::nullopt;
    }
    return std::string(first->substr(begin.size(), first->find(path_separator, begin.size()) - begin.size()));
}

Status ObjectProperties::check_value(const std::string& path, const Property& property, const OptionValue& value) const {
    const std::string name = shown(path);
    const EmptyValue* const empty = std::get_if<EmptyValue>(&value);
    const std::string* const text = std::get_if<std::string>(&value);
    const Status wrong = wrong_type(name, type_name(property.type));
    switch (property.type) {
    case PropertyType::integer: {
        TRY(check_integer(name, value, is_json_));
        const int64_t number = integer_of(value);
        const bool fits = property.shown_type != int32_type || (number >= INT32_MIN && number <= INT32_MAX);
        return fits ? Status() : Status::invalid(fmt::format("Parameter '{}' expects {}", name, int32_type));
    }
    case PropertyType::boolean: return check_boolean(name, value, is_json_);
    case PropertyType::object: return empty != nullptr && empty->kind == EmptyValue::Kind::object ? Status() : wrong;
    case PropertyType::list: return empty != nullptr && empty->kind == EmptyValue::Kind::list ? Status() : wrong;
    case PropertyType::text: return text != nullptr ? Status() : wrong;
    case PropertyType::word: return text != nullptr ? check_word(property, *text) : wrong;
    }
    return {};
}

Status ObjectProperties::take_property(const std::string& path, const Property& property, Options& taken) {
    if (const OptionValue* const value = values_.find(path)) {
        Status status = check_value(path, property, *value);
        taken.set(shown(path), *value);
        values_.erase(path);
        return status;
    }
    const std::optional<std::string> member = first_member(path);
    if (!member) {
        return property.required ? Status::invalid(fmt::format("Parameter '{}' is missing", shown(path))) : Status();
    }
    if (property.type == PropertyType::object && !is_index(*member)) {
        return take_object(path, property.members, taken);
    }
    if (property.type == PropertyType::list && is_index(*member)) {
        return take_list(path, property.members.front(), taken);
    }
    return is_json_ || property.type == PropertyType::object || property.type == PropertyType::list
               ? wrong_type(shown(path), type_name(property.type))
               : Status::invalid(fmt::format("Parameters '{}.*' are unexpected", shown(path)));
}

Status ObjectProperties::take_list(const std::string& path, const Property& element, Options& taken) {
    for (size_t index = 0; first_member(path); index++) {
        TRY(take_property(joined(path, std::to_string(index)), element, taken));
    }
    return {};
}

Status ObjectProperties::take_object(const std::string& path, std::span<const Property> table, Options& taken) {
    for (const Property& property : table) {
        TRY(take_property(joined(path, property.name), property, taken));
    }
    const std::optional<std::string> left = first_member(path);
    return left ? Status::invalid(fmt::format("Parameter '{}' is unexpected", shown(joined(path, *left)))) : Status();
}

Status ObjectProperties::take_required(std::string_view name, std::string& value) {
    Options taken;
    TRY(take_property(std::string(name), {name, PropertyType::text}, taken));
    const std::string* const text = taken.find_text(name);
    if (text == nullptr) {
        return Status::invalid(fmt::format("Parameter '{}' is missing", name));
    }
    value = *text;
    return {};
}

Result<Options> ObjectProperties::take_all(std::span<const Property> table) {
    Options taken;
    TRY(take_object("", table, taken));
    return taken;
}

} // namespace zoneio
