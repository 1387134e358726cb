// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/tls_credentials.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr std::string_view default_username = "qemu";

std::map<std::string, TlsCredentials, std::less<>>& credentials() {
    static std::map<std::string, TlsCredentials, std::less<>> all;
    return all;
}

std::string text_of(const Options& properties, std::string_view name, std::string_view otherwise) {
    const std::string* const text = properties.find_text(name);
    return text != nullptr ? *text : std::string(otherwise);
}

bool is_on(const Options& properties, std::string_view name) {
    const OptionValue* const value = properties.find(name);
    bool on = true;
    return value == nullptr || !parse_option_bool(name, option_text(*value).value_or("on"), on).ok() || on;
}

TlsCredentials from_properties(TlsCredentials::Kind kind, const Options& properties) {
    TlsCredentials made;
    made.kind = kind;
    made.dir = text_of(properties, "dir", "");
    made.is_server = text_of(properties, "endpoint", "client") == "server";
    made.verify_peer = is_on(properties, "verify-peer");
    made.username = text_of(properties, "username", default_username);
    return made;
}

Status check_file(const std::string& path) {
    return access(path.c_str(), R_OK) == 0
               ? Status()
               : Status::invalid(fmt::format("Unable to access credentials {}: {}", path, strerror(errno)));
}

Status check_dir(const TlsCredentials& made) {
    return made.dir.empty() ? Status::invalid("Missing 'dir' property value") : Status();
}

/// A client needs no certificate of its own, but a certificate and its key need each other.
Status check_own_certificate(const TlsCredentials& made) {
    const std::string own = made.dir + (made.is_server ? "/server" : "/client");
    const std::string certificate = own + "-cert.pem";
    const std::string key = own + "-key.pem";
    if (made.is_server) {
        Status status = check_file(certificate);
        return status.ok() ? check_file(key) : std::move(status);
    }
    const bool has_certificate = access(certificate.c_str(), R_OK) == 0;
    const bool has_key = access(key.c_str(), R_OK) == 0;
    if (has_certificate && !has_key) {
        return Status::invalid(fmt::format("Cert '{}' without corresponding key '{}'", certificate, key));
    }
    if (has_key && !has_certificate) {
        return Status::invalid(fmt::format("Key '{}' without corresponding cert '{}'", key, certificate));
    }
    return {};
}

/// True if a line of the key file starts with the user's name and a colon.
bool has_user(const TlsCredentials& made) {
    std::ifstream file(made.key_file());
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with(made.username + ':')) {
            return true;
        }
    }
    return false;
}

} // namespace

Status check_x509_credentials(const Options& properties) {
    const TlsCredentials made = from_properties(TlsCredentials::Kind::x509, properties);
    Status status = check_dir(made);
    if (status.ok() && properties.contains("passwordid")) {
        return Status::invalid("'passwordid' is not supported: the key must not be encrypted");
    }
    status = status.ok() ? check_file(made.dir + "/ca-cert.pem") : std::move(status);
    return status.ok() ? check_own_certificate(made) : std::move(status);
}

Status check_psk_credentials(const Options& properties) {
    const TlsCredentials made = from_properties(TlsCredentials::Kind::psk, properties);
    Status status = check_dir(made);
    status = status.ok() ? check_file(made.key_file()) : std::move(status);
    if (status.ok() && !made.is_server && !has_user(made)) {
        status = Status::invalid(fmt::format("Username {} not found in PSK file {}", made.username, made.key_file()));
    }
    return status;
}

void add_x509_credentials(const std::string& id, const Options& properties) {
    credentials().insert_or_assign(id, from_properties(TlsCredentials::Kind::x509, properties));
}

void add_psk_credentials(const std::string& id, const Options& properties) {
    credentials().insert_or_assign(id, from_properties(TlsCredentials::Kind::psk, properties));
}

void add_anonymous_credentials(const std::string& id, const Options& properties) {
    credentials().insert_or_assign(id, from_properties(TlsCredentials::Kind::anonymous, properties));
}

const TlsCredentials* find_tls_credentials(std::string_view id) {
    const auto found = credentials().find(id);
    return found != credentials().end() ? &found->second : nullptr;
}

std::vector<std::string> tls_credentials_ids() {
    std::vector<std::string> ids;
    for (const auto& [id, made] : credentials()) {
        ids.push_back(id);
    }
    return ids;
}

} // namespace zoneio
