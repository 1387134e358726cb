// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/user_object.h"

#include "block/options.h"
#include "block/throttle_group.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

enum class PropertyType { text, integer, secret_format };

struct Property {
    std::string_view name;
    PropertyType type;
};

struct ObjectType {
    std::string_view name;
    std::span<const Property> properties;
    /// What is wrong with a complete set of properties.
    Status (*check)(const Options& properties);
    /// Makes it, where somebody has a use for it.
    void (*make)(const std::string& id, const Options& properties) = nullptr;
};

Status invalid(std::string text) {
    return Status::error(EINVAL, std::move(text));
}

std::set<std::string, std::less<>>& object_ids() {
    static std::set<std::string, std::less<>> ids;
    return ids;
}

constexpr Property secret_properties[] = {
    {"data", PropertyType::text},  {"file", PropertyType::text}, {"format", PropertyType::secret_format},
    {"keyid", PropertyType::text}, {"iv", PropertyType::text},
};

Status check_secret(const Options& properties) {
    const std::string* file = properties.find_text("file");
    const bool has_data = properties.contains("data");
    if (file != nullptr && has_data) {
        return invalid("'file' and 'data' are mutually exclusive");
    }
    if (file == nullptr && !has_data) {
        return invalid("Either 'file' or 'data' must be provided");
    }
    if (file != nullptr && access(file->c_str(), R_OK) != 0) {
        return invalid(fmt::format("Unable to read {0}: Failed to open file “{0}”: {1}", *file, strerror(errno)));
    }
    if (const std::string* key = properties.find_text("keyid")) {
        return invalid(fmt::format("No secret with id '{}'", *key));
    }
    return {};
}

constexpr Property throttle_properties[] = {
    {"x-bps-read", PropertyType::integer},         {"x-bps-read-max", PropertyType::integer},
    {"x-bps-read-max-length", PropertyType::integer}, {"x-bps-total", PropertyType::integer},
    {"x-bps-total-max", PropertyType::integer},    {"x-bps-total-max-length", PropertyType::integer},
    {"x-bps-write", PropertyType::integer},        {"x-bps-write-max", PropertyType::integer},
    {"x-bps-write-max-length", PropertyType::integer}, {"x-iops-read", PropertyType::integer},
    {"x-iops-read-max", PropertyType::integer},    {"x-iops-read-max-length", PropertyType::integer},
    {"x-iops-size", PropertyType::integer},        {"x-iops-total", PropertyType::integer},
    {"x-iops-total-max", PropertyType::integer},   {"x-iops-total-max-length", PropertyType::integer},
    {"x-iops-write", PropertyType::integer},       {"x-iops-write-max", PropertyType::integer},
    {"x-iops-write-max-length", PropertyType::integer},
};

Status check_throttle(const Options& properties) {
    return ThrottleLimits::from_properties(properties).status();
}

void make_throttle_group(const std::string& id, const Options& properties) {
    add_throttle_group(id, *ThrottleLimits::from_properties(properties));
}

Status accept(const Options& /*properties*/) {
    return {};
}

Status refuse_main_loop(const Options& /*properties*/) {
    return invalid("qemu aio context not ready");
}

// Some types are taken for the sake of scripts that pass them along; a raw image has no use for them.
constexpr Property tls_anon_properties[] = {
    {"dir", PropertyType::text},
    {"endpoint", PropertyType::text},
    {"priority", PropertyType::text},
    {"verify-peer", PropertyType::text},
};

constexpr ObjectType types[] = {
    {"authz-list", {}, accept},
    {"main-loop", {}, refuse_main_loop},
    {"secret", secret_properties, check_secret},
    {"thread-context", {}, accept},
    {"throttle-group", throttle_properties, check_throttle, make_throttle_group},
    {"tls-creds-anon", tls_anon_properties, accept},
};

/// A type that users of the QEMU family know, but that does not exist here; it is refused after its first
/// required property was missed.
struct ForeignType {
    std::string_view name;
    std::string_view required;
};

constexpr ForeignType foreign_types[] = {
    {"acpi-generic-initiator", "pci-dev"},
    {"acpi-generic-port", "pci-bus"},
    {"authz-listfile", "filename"},
    {"authz-pam", "service"},
    {"authz-simple", "identity"},
    {"can-bus", ""},
    {"can-host-socketcan", "if"},
    {"colo-compare", "primary_in"},
    {"cryptodev-backend", ""},
    {"cryptodev-backend-builtin", ""},
    {"cryptodev-backend-lkcf", ""},
    {"cryptodev-vhost-user", "chardev"},
    {"dbus-vmstate", "addr"},
    {"filter-buffer", "netdev"},
    {"filter-dump", "netdev"},
    {"filter-mirror", "netdev"},
    {"filter-redirector", "netdev"},
    {"filter-replay", "netdev"},
    {"filter-rewriter", "netdev"},
    {"input-barrier", "name"},
    {"input-linux", "evdev"},
    {"iommufd", ""},
    {"iothread", ""},
    {"memory-backend-epc", "size"},
    {"memory-backend-file", "size"},
    {"memory-backend-memfd", "size"},
    {"memory-backend-ram", "size"},
    {"memory-backend-shm", "size"},
    {"pef-guest", ""},
    {"pr-manager-helper", "path"},
    {"qtest", "chardev"},
    {"rng-builtin", ""},
    {"rng-egd", "chardev"},
    {"rng-random", ""},
    {"s390-pv-guest", ""},
    {"secret_keyring", "serial"},
    {"sev-guest", "reduced-phys-bits"},
    {"sev-snp-guest", "reduced-phys-bits"},
    {"tls-cipher-suites", ""},
    {"tls-creds-psk", ""},
    {"tls-creds-x509", ""},
    {"x-remote-object", "fd"},
    {"x-vfio-user-server", "socket"},
};

Status refuse_foreign(const ForeignType& type, const Options& properties) {
    if (!type.required.empty() && !properties.contains(type.required)) {
        return invalid(fmt::format("Parameter '{}' is missing", type.required));
    }
    if (type.name.starts_with("tls-creds")) {
        return invalid("Missing 'dir' property value");
    }
    return invalid(fmt::format("invalid object type: {}", type.name));
}

template <typename Row, size_t N>
const Row* find_row(const Row (&rows)[N], std::string_view name) {
    const auto row = std::find_if(std::begin(rows), std::end(rows), [name](const Row& r) { return r.name == name; });
    return row == std::end(rows) ? nullptr : row;
}

/// A parameter is made of parts with dots in between; each begins with a letter.
bool is_parameter_name(std::string_view name) {
    bool at_part_begin = true;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (at_part_begin ? !std::isalpha(byte) : !(std::isalnum(byte) || c == '-' || c == '_' || c == '.')) {
            return false;
        }
        at_part_begin = c == '.';
    }
    return !at_part_begin;
}

/// `TYPE,key=value,...`: every key needs a value, and `,,` is a comma in one.
Result<Options> parse_object_string(std::string_view spec) {
    Options options;
    bool first = true;
    while (!spec.empty()) {
        const size_t end = std::min(spec.find_first_of("=,"), spec.size());
        std::string key(spec.substr(0, end));
        const bool has_value = end < spec.size() && spec[end] == '=';
        if (!has_value && first && !key.empty()) {
            key = "qom-type";
        } else {
            if (!is_parameter_name(key)) {
                return invalid(fmt::format("Invalid parameter '{}'", key));
            }
            if (!has_value) {
                return invalid(fmt::format("Expected '=' after parameter '{}'", key));
            }
            spec.remove_prefix(end + 1);
        }
        first = false;
        options.set(std::move(key), take_option_value(spec));
        spec.remove_prefix(spec.empty() ? 0 : 1);
    }
    return options;
}

/// What a spec says, in either of its two forms.
Result<Options> parse_object(std::string_view spec) {
    if (!spec.starts_with('{')) {
        return parse_object_string(spec);
    }
    Result<std::optional<Options>> parsed = parse_json_object(spec);
    if (!parsed.ok()) {
        return std::move(parsed).status();
    }
    return std::move(**parsed);
}

/// Takes out a parameter that must be there, as text.
Status take_required(Options& options, std::string_view key, std::string& value) {
    const OptionValue* found = options.find(key);
    if (found == nullptr) {
        return invalid(fmt::format("Parameter '{}' is missing", key));
    }
    const std::string* text = std::get_if<std::string>(found);
    if (text == nullptr) {
        return invalid(fmt::format("Invalid parameter type for '{}', expected: string", key));
    }
    value = *text;
    options.erase(key);
    return {};
}

Status wrong_type(std::string_view key, std::string_view expected) {
    return invalid(fmt::format("Invalid parameter type for '{}', expected: {}", key, expected));
}

/// Integers are signed, and in JSON no strings.
Status check_integer(std::string_view key, const OptionValue& value, bool is_json) {
    const std::string* const text = std::get_if<std::string>(&value);
    if (is_json) {
        return std::holds_alternative<int64_t>(value) ? Status() : wrong_type(key, "integer");
    }
    char* end = nullptr;
    errno = 0;
    (void)strtoll(text->c_str(), &end, 0);
    return text->empty() || *end != '\0' || errno != 0 ? invalid(fmt::format("Parameter '{}' expects integer", key)) : Status();
}

Status check_value(const Property& property, std::string_view key, const OptionValue& value, bool is_json) {
    const std::string* const text = std::get_if<std::string>(&value);
    switch (property.type) {
    case PropertyType::text: return text != nullptr ? Status() : wrong_type(key, "string");
    case PropertyType::secret_format:
        if (text == nullptr || (*text != "raw" && *text != "base64")) {
            return invalid(fmt::format("Parameter '{}' does not accept value '{}'", key, option_text(value).value_or("")));
        }
        return {};
    case PropertyType::integer: return check_integer(key, value, is_json);
    }
    return {};
}

constexpr std::string_view limits_prefix = "limits.";

/// The property that a key names; `limits.iops-total` is the newer spelling of `x-iops-total`.
const Property* find_property(const ObjectType& type, std::string_view key) {
    std::string name(key);
    if (key.starts_with(limits_prefix)) {
        name = "x-" + std::string(key.substr(limits_prefix.size()));
    }
    const auto row = std::find_if(type.properties.begin(), type.properties.end(), [&](const Property& p) { return p.name == name; });
    return row == type.properties.end() ? nullptr : &*row;
}

/// What is wrong with a key that names no property.
Status refuse_key(const ObjectType& type, std::string_view key) {
    const size_t skip = key.starts_with(limits_prefix) ? limits_prefix.size() : 0;
    const std::string_view first = key.substr(0, key.find('.', skip));
    if (first.size() < key.size() && find_property(type, first) != nullptr) {
        return invalid(fmt::format("Parameters '{}.*' are unexpected", first));
    }
    return invalid(fmt::format("Parameter '{}' is unexpected", first));
}

/// Values first, then keys that there are not.
Status check_properties(const ObjectType& type, const Options& properties, bool is_json) {
    for (const auto& [key, value] : properties.all()) {
        const Property* const property = find_property(type, key);
        Status status = property != nullptr ? check_value(*property, key, value, is_json) : Status();
        if (status.ok() && key == "limits" && type.check == check_throttle) {
            status = wrong_type(key, "object");
        }
        if (!status.ok()) {
            return status;
        }
    }
    for (const auto& [key, value] : properties.all()) {
        if (find_property(type, key) == nullptr) {
            return refuse_key(type, key);
        }
    }
    return {};
}

} // namespace

Status add_user_object(std::string_view spec) {
    Result<Options> parsed = parse_object(spec);
    if (!parsed.ok()) {
        return std::move(parsed).status();
    }
    std::string type_name;
    std::string id;
    Status status = take_required(*parsed, "qom-type", type_name);
    const ObjectType* const type = find_row(types, type_name);
    const ForeignType* const foreign = find_row(foreign_types, type_name);
    if (status.ok() && type == nullptr && foreign == nullptr) {
        status = invalid(fmt::format("Parameter 'qom-type' does not accept value '{}'", type_name));
    }
    if (status.ok()) {
        status = take_required(*parsed, "id", id);
    }
    if (status.ok() && foreign != nullptr) {
        status = refuse_foreign(*foreign, *parsed);
    }
    if (!status.ok()) {
        return status;
    }
    const Options properties = std::move(*parsed);
    status = check_properties(*type, properties, spec.starts_with('{'));
    if (status.ok()) {
        status = check_identifier("id", id);
    }
    if (status.ok() && object_ids().contains(id)) {
        status = invalid(fmt::format("attempt to add duplicate property '{}' to object (type 'container')", id));
    }
    if (status.ok()) {
        status = type->check(properties);
    }
    if (status.ok()) {
        object_ids().insert(id);
        if (type->make != nullptr) {
            type->make(id, properties);
        }
    }
    return status;
}

std::vector<std::string_view> user_object_types() {
    std::vector<std::string_view> names;
    for (const ObjectType& type : types) {
        names.push_back(type.name);
    }
    return names;
}

std::string user_object_help() {
    std::string text = "List of user creatable objects:\n";
    for (const std::string_view name : user_object_types()) {
        text += fmt::format("  {}\n", name);
    }
    return text;
}

} // namespace zoneio
