// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/user_object.h"

#include "block/objects/object_ids.h"
#include "block/objects/object_properties.h"
#include "block/objects/pr_manager.h"
#include "block/objects/secret.h"
#include "block/objects/throttle_group.h"
#include "block/objects/tls_credentials.h"
#include "block/options/options.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <span>

namespace zoneio {

namespace {

struct ObjectType {
    std::string_view name;
    std::span<const Property> properties;
    /// Checks a complete set of properties, and creates the object.
    Status (*make)(const std::string& id, const Options& properties);
    /// Checks that are made before the one for a duplicate id.
    Status (*check_first)(const Options& properties) = nullptr;
};

constexpr std::string_view secret_formats[] = {"raw", "base64"};
constexpr Property secret_properties[] = {
    {.name = "format", .type = PropertyType::word, .shown_type = "QCryptoSecretFormat", .words = secret_formats},
    {"keyid", PropertyType::text},
    {"iv", PropertyType::text},
    {"data", PropertyType::text},
    {"file", PropertyType::text},
};
constexpr Property keyring_properties[] = {
    secret_properties[0],
    secret_properties[1],
    secret_properties[2],
    {.name = "serial", .type = PropertyType::integer, .shown_type = int32_type, .required = true},
};

constexpr std::string_view throttle_keys[] = {
    "x-iops-total",     "x-iops-total-max", "x-iops-total-max-length", "x-iops-read", "x-iops-read-max", "x-iops-read-max-length",
    "x-iops-write",     "x-iops-write-max", "x-iops-write-max-length", "x-bps-total", "x-bps-total-max", "x-bps-total-max-length",
    "x-bps-read",       "x-bps-read-max",   "x-bps-read-max-length",   "x-bps-write", "x-bps-write-max", "x-bps-write-max-length",
    "x-iops-size",
};

/// The newer names, members of an object, have no `x-`.
constexpr auto limits_members = [] {
    std::array<Property, std::size(throttle_keys)> members{};
    std::transform(std::begin(throttle_keys), std::end(throttle_keys), members.begin(), [](std::string_view name) {
        return Property{name.substr(2), PropertyType::integer};
    });
    return members;
}();

constexpr auto throttle_properties = [] {
    std::array<Property, std::size(throttle_keys) + 1> properties{
        {{.name = "limits", .type = PropertyType::object, .shown_type = "ThrottleLimits", .members = limits_members}}};
    std::transform(std::begin(throttle_keys), std::end(throttle_keys), properties.begin() + 1, [](std::string_view name) {
        return Property{name, PropertyType::integer};
    });
    return properties;
}();

Status check_throttle_properties(const Options& properties) {
    return ThrottleLimits::from_properties(properties).status();
}

Status make_throttle_group(const std::string& id, const Options& properties) {
    const ThrottleLimits limits = TRY(ThrottleLimits::from_properties(properties));
    TRY(limits.check());
    add_throttle_group(id, limits);
    return {};
}

Status accept(const std::string& /*id*/, const Options& /*properties*/) {
    return {};
}

Status refuse_main_loop(const std::string& /*id*/, const Options& /*properties*/) {
    return Status::invalid("qemu aio context not ready");
}

template <TlsCredentials::Kind Kind>
Status make_credentials(const std::string& id, const Options& properties) {
    return make_tls_credentials(Kind, id, properties);
}

constexpr std::string_view tls_endpoints[] = {"client", "server"};
constexpr Property tls_anon_properties[] = {
    {"dir", PropertyType::text},
    {.name = "endpoint", .type = PropertyType::word, .shown_type = "QCryptoTLSCredsEndpoint", .words = tls_endpoints},
    {"priority", PropertyType::text},
    {"verify-peer", PropertyType::boolean},
};

constexpr Property tls_psk_properties[] = {
    tls_anon_properties[0],          tls_anon_properties[1], tls_anon_properties[2],
    {"username", PropertyType::text}, tls_anon_properties[3],
};
constexpr Property tls_x509_properties[] = {
    tls_anon_properties[0],
    tls_anon_properties[1],
    {"passwordid", PropertyType::text},
    tls_anon_properties[2],
    {"sanity-check", PropertyType::boolean},
    tls_anon_properties[3],
};

// Some types are accepted for scripts that pass them along; no image uses them.
constexpr std::string_view authz_policies[] = {"deny", "allow"};
constexpr std::string_view authz_formats[] = {"exact", "glob"};
constexpr Property authz_rule_members[] = {
    {.name = "match", .type = PropertyType::text, .required = true},
    {.name = "policy", .type = PropertyType::word, .words = authz_policies, .required = true},
    {.name = "format", .type = PropertyType::word, .words = authz_formats},
};
constexpr Property authz_rule{.name = "", .type = PropertyType::object, .members = authz_rule_members};
constexpr Property authz_list_properties[] = {
    {.name = "policy", .type = PropertyType::word, .shown_type = "QAuthZListPolicy", .words = authz_policies},
    {.name = "rules", .type = PropertyType::list, .shown_type = "QAuthZListRule", .members = {&authz_rule, 1}},
};

constexpr Property authz_simple_properties[] = {
    {.name = "identity", .type = PropertyType::text, .required = true},
};
/// Help has the name `authz-list-file` for this type, and objects are made by another one, as in QEMU.
constexpr Property authz_file_properties[] = {
    {.name = "filename", .type = PropertyType::text, .required = true},
    {"refresh", PropertyType::boolean},
};

constexpr Property pr_manager_properties[] = {
    {.name = "path", .type = PropertyType::text, .required = true},
};

constexpr Property number{"", PropertyType::integer};
constexpr Property thread_context_properties[] = {
    {.name = "cpu-affinity", .type = PropertyType::list, .shown_type = "int", .members = {&number, 1}},
    {.name = "node-affinity", .type = PropertyType::list, .shown_type = "int", .members = {&number, 1}},
};

constexpr Property main_loop_properties[] = {
    {"aio-max-batch", PropertyType::integer},
    {"thread-pool-min", PropertyType::integer},
    {"thread-pool-max", PropertyType::integer},
};

/// `make` is null for a type that only help knows.
constexpr ObjectType types[] = {
    {"authz-list", authz_list_properties, accept},
    {"authz-list-file", authz_file_properties, nullptr},
    {"authz-simple", authz_simple_properties, accept},
    {"main-loop", main_loop_properties, refuse_main_loop},
    {"pr-manager-helper", pr_manager_properties, make_pr_manager},
    {"secret", secret_properties, make_secret},
    {"secret_keyring", keyring_properties, make_keyring_secret},
    {"thread-context", thread_context_properties, accept},
    {"throttle-group", throttle_properties, make_throttle_group, check_throttle_properties},
    {"tls-creds-anon", tls_anon_properties, make_credentials<TlsCredentials::Kind::anonymous>},
    {"tls-creds-psk", tls_psk_properties, make_credentials<TlsCredentials::Kind::psk>},
    {"tls-creds-x509", tls_x509_properties, make_credentials<TlsCredentials::Kind::x509>},
};

constexpr Property iothread_properties[] = {
    {"aio-max-batch", PropertyType::integer}, {"thread-pool-min", PropertyType::integer}, {"thread-pool-max", PropertyType::integer},
    {"poll-max-ns", PropertyType::integer},   {"poll-grow", PropertyType::integer},       {"poll-shrink", PropertyType::integer},
    {"poll-weight", PropertyType::integer},
};

/// A type that QEMU knows and its qemu-io does not make. It is refused after the check of its properties, or, if they are not listed
/// here, for the first one that is required.
struct ForeignType {
    std::string_view name;
    std::string_view required;
    std::span<const Property> properties = {};
};

constexpr ForeignType foreign_types[] = {
    {"acpi-generic-initiator", "pci-dev"},
    {"acpi-generic-port", "pci-bus"},
    {"authz-listfile", "filename", authz_file_properties},
    {"authz-pam", "service"},
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
    {"iothread", "", iothread_properties},
    {"memory-backend-epc", "size"},
    {"memory-backend-file", "size"},
    {"memory-backend-memfd", "size"},
    {"memory-backend-ram", "size"},
    {"memory-backend-shm", "size"},
    {"pef-guest", ""},
    {"qtest", "chardev"},
    {"rng-builtin", ""},
    {"rng-egd", "chardev"},
    {"rng-random", ""},
    {"s390-pv-guest", ""},
    {"sev-guest", "reduced-phys-bits"},
    {"sev-snp-guest", "reduced-phys-bits"},
    {"tls-cipher-suites", ""},
    {"x-remote-object", "fd"},
    {"x-vfio-user-server", "socket"},
};

Status refuse_foreign(const ForeignType& type, const std::string& id, ObjectProperties& properties) {
    if (!type.required.empty() && !properties.contains(type.required)) {
        return Status::invalid(fmt::format("Parameter '{}' is missing", type.required));
    }
    if (!type.properties.empty()) {
        TRY(properties.take_all(type.properties));
    }
    TRY(check_identifier("id", id));
    return Status::invalid(fmt::format("invalid object type: {}", type.name));
}

template <typename Row, size_t N>
const Row* find_row(const Row (&rows)[N], std::string_view name) {
    const auto row = std::find_if(std::begin(rows), std::end(rows), [name](const Row& r) { return r.name == name; });
    return row == std::end(rows) ? nullptr : row;
}

/// Help text: the properties of a type, or all types if it is null.
std::string help_about(const ObjectType* type) {
    if (type == nullptr) {
        std::string text = "List of user creatable objects:\n";
        for (const std::string_view name : user_object_types()) {
            text += fmt::format("  {}\n", name);
        }
        return text;
    }
    std::vector<std::string> lines;
    for (const Property& property : type->properties) {
        lines.push_back(property.help());
    }
    std::sort(lines.begin(), lines.end());
    return fmt::format("{} options:\n  {}\n", type->name, fmt::join(lines, "\n  "));
}

} // namespace

Status add_user_object(std::string_view spec, std::string& help) {
    ObjectProperties parsed = TRY(ObjectProperties::parse(spec));
    if (parsed.asks_for_help()) {
        const std::string* const about = parsed.find_text("qom-type");
        help = help_about(about != nullptr ? find_row(types, *about) : nullptr);
        return {};
    }
    std::string type_name;
    std::string id;
    TRY(parsed.take_required("qom-type", type_name));
    const ObjectType* const type = find_row(types, type_name);
    const ForeignType* const foreign = find_row(foreign_types, type_name);
    if (foreign == nullptr && (type == nullptr || type->make == nullptr)) {
        return Status::invalid(fmt::format("Parameter 'qom-type' does not accept value '{}'", type_name));
    }
    TRY(parsed.take_required("id", id));
    if (foreign != nullptr) {
        return refuse_foreign(*foreign, id, parsed);
    }
    Options properties = TRY(parsed.take_all(type->properties));
    TRY(check_identifier("id", id));
    if (type->check_first != nullptr) {
        TRY(type->check_first(properties));
    }
    if (!take_object_id(id)) {
        return Status::invalid(fmt::format("attempt to add duplicate property '{}' to object (type 'container')", id));
    }
    return type->make(id, properties);
}

std::vector<std::string_view> user_object_types() {
    std::vector<std::string_view> names;
    for (const ObjectType& type : types) {
        names.push_back(type.name);
    }
    return names;
}

} // namespace zoneio
