// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/tls_credentials.h"

#include "block/objects/certificate_check.h"
#include "block/objects/gnutls.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <sstream>
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

Status check_dir(const Options& properties) {
    return properties.contains("dir") ? Status() : Status::invalid("Missing 'dir' property value");
}

/// The key of a user: the rest of the line that starts with the name and a colon. Like QEMU, reads the file up to a NUL.
Result<std::string> find_key(const TlsCredentials& made) {
    std::string text = TRY(read_credentials(made.key_file(), "Cannot read PSK file"));
    std::istringstream lines(text.substr(0, text.find('\0')));
    std::string line;
    while (std::getline(lines, line)) {
        if (line.starts_with(made.username + ':')) {
            return line.substr(made.username.size() + 1);
        }
    }
    return Status::invalid(fmt::format("Username {} not found in PSK file {}", made.username, made.key_file()));
}

Status check_key(const TlsCredentials& made) {
    std::string key = TRY(find_key(made));
    const GnuTls& tls = *TRY(GnuTls::load());
    GnuTlsCredentials* loaded = nullptr;
    const GnuTlsDatum datum{reinterpret_cast<unsigned char*>(key.data()), static_cast<unsigned>(key.size())};
    int error = tls.psk_allocate_client_credentials(&loaded);
    if (error >= 0) {
        error = tls.psk_set_client_credentials(loaded, made.username.c_str(), &datum, gnutls::psk_hex);
        tls.psk_free_client_credentials(loaded);
    }
    return error >= 0 ? Status() : Status::invalid(fmt::format("Cannot set PSK client credentials: {}", tls.strerror(error)));
}

Status check_psk(const TlsCredentials& made) {
    TRY(check_file(made.key_file()));
    return made.is_server ? Status() : check_key(made);
}

Status check_x509(TlsCredentials& made, const Options& properties) {
    CertificateFolder folder{made.dir, made.is_server, std::nullopt};
    if (const std::string* const id = properties.find_text("passwordid")) {
        folder.password_id = *id;
    }
    made.has_encrypted_key = TRY(check_certificates(folder, is_on(properties, "sanity-check")));
    return {};
}

} // namespace

Status make_tls_credentials(TlsCredentials::Kind kind, const std::string& id, const Options& properties) {
    TlsCredentials made = from_properties(kind, properties);
    if (kind != TlsCredentials::Kind::anonymous) {
        TRY(check_dir(properties));
        TRY(kind == TlsCredentials::Kind::psk ? check_psk(made) : check_x509(made, properties));
    }
    credentials().insert_or_assign(id, std::move(made));
    return {};
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
