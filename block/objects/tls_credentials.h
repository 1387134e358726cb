// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// What a connection is encrypted and its ends are authenticated with (--object tls-creds-x509, tls-creds-psk).
struct TlsCredentials {
    enum class Kind : uint8_t { anonymous, psk, x509 };

    Kind kind = Kind::anonymous;
    std::string dir;         ///< x509: ca-cert.pem, client-cert.pem, client-key.pem; psk: keys.psk
    bool is_server = false;  ///< made for the other end
    bool verify_peer = true; ///< x509: the server's certificate is checked
    std::string username;    ///< psk: whose key it is

    /// The path of the file of keys. psk only.
    std::string key_file() const { return dir + "/keys.psk"; }
};

/// What is wrong with the properties of such an object, its files included. EINVAL with the reason.
Status check_x509_credentials(const Options& properties);
Status check_psk_credentials(const Options& properties);

/// Makes them; there is no other object of that id.
void add_x509_credentials(const std::string& id, const Options& properties);
void add_psk_credentials(const std::string& id, const Options& properties);
void add_anonymous_credentials(const std::string& id, const Options& properties);

/// Those of that id, or null. They stay as long as the program runs.
const TlsCredentials* find_tls_credentials(std::string_view id);

/// The ids of all credentials.
std::vector<std::string> tls_credentials_ids();

} // namespace zoneio
