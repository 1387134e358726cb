// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Credentials for encryption and authentication of a connection (--object tls-creds-x509, tls-creds-psk).
struct TlsCredentials {
    enum class Kind : uint8_t { anonymous, psk, x509 };

    Kind kind = Kind::anonymous;
    std::string dir;         ///< x509: ca-cert.pem, client-cert.pem, client-key.pem; psk: keys.psk
    bool is_server = false;  ///< the credentials are those of a server
    bool verify_peer = true; ///< x509: verify the server's certificate
    std::string username;    ///< psk: name of the user of the key

    /// Path of the key file. psk only.
    std::string key_file() const { return dir + "/keys.psk"; }
};

/// Checks the properties of such an object, including its files. EINVAL with the reason.
Status check_x509_credentials(const Options& properties);
Status check_psk_credentials(const Options& properties);

/// Adds credentials. REQUIRES: no object has this id.
void add_tls_credentials(TlsCredentials::Kind kind, const std::string& id, const Options& properties);

/// The credentials with this id, or null. Valid until the program exits.
const TlsCredentials* find_tls_credentials(std::string_view id);

/// The ids of all credentials.
std::vector<std::string> tls_credentials_ids();

} // namespace zoneio
