// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <optional>
#include <string>

namespace zoneio {

/// Where the certificates and keys of an object tls-creds-x509 are.
struct CertificateFolder {
    std::string dir;
    bool is_server = false;
    std::optional<std::string> password_id; ///< of the secret that decrypts keys
};

/// Reads the certificates and keys of an object tls-creds-x509, as QEMU does when it makes the object. True if a key is encrypted.
/// EINVAL, with QEMU's text, if one is missing, unreadable, broken, or does not belong to its key.
///
/// `is_thorough` (sanity-check=on): also refuses certificates that are not valid now, not made for their purpose, or not signed by an
/// authority in ca-cert.pem.
Result<bool> check_certificates(const CertificateFolder& folder, bool is_thorough);

} // namespace zoneio
