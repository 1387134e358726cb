// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/nbd/settings.h"
#include "block/nbd/socket.h"

#include <string>

namespace zoneio {

/// Why there is no TLS connection to a server, or why its certificate is refused, with QEMU's texts: libnbd reports only that the
/// negotiation or the verification failed. Ok if nothing is wrong.
///
/// Makes a connection of its own, asks for TLS and, with certificates, verifies what QEMU verifies. No data of the export is on it.
Status why_no_tls(const NbdSettings& settings, const NbdDeadline& deadline);

/// QEMU's text for an error text of libnbd about a connection with TLS.
std::string tls_error_text(const std::string& text);

/// ENOTSUP with the reason for credentials that libnbd cannot use.
Status check_support(const TlsCredentials& credentials);

} // namespace zoneio
