// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>

namespace zoneio {

/// Reads the certificates and keys of an object tls-creds-x509 in `dir`, as QEMU does when it makes the object. EINVAL, with QEMU's text, if
/// one is missing, unreadable, broken, or does not belong to its key.
///
/// `is_thorough` (sanity-check=on): also refuses certificates that are not valid now, not made for their purpose, or not signed by an
/// authority in ca-cert.pem.
Status check_certificates(const std::string& dir, bool is_server, bool is_thorough);

} // namespace zoneio
