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
    bool has_encrypted_key = false; ///< x509
    bool verify_peer = true; ///< x509: verify the server's certificate
    std::string username;    ///< psk: name of the user of the key

    /// Path of the key file. psk only.
    std::string key_file() const { return dir + "/keys.psk"; }
};

/// Checks the properties of such an object, including its files, and keeps it. EINVAL with the reason. REQUIRES: no object has this id.
Status make_tls_credentials(TlsCredentials::Kind kind, const std::string& id, const Options& properties);

/// The credentials with this id, or null. Valid until the program exits.
const TlsCredentials* find_tls_credentials(std::string_view id);

/// The ids of all credentials.
std::vector<std::string> tls_credentials_ids();

} // namespace zoneio
