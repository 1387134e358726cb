// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/nbd/address.h"
#include "block/objects/tls_credentials.h"

#include <chrono>
#include <string>

namespace zoneio {

/// What to connect to, and how.
struct NbdSettings {
    NbdAddress address;
    std::string export_name;
    std::string context; ///< metadata context for block status
    const TlsCredentials* tls = nullptr;
    std::string tls_hostname; ///< name in the server's certificate; empty: the host of the address
    std::chrono::seconds reconnect_delay{0};
    std::chrono::seconds open_timeout{0};
    unsigned connections = 1; ///< number of connections, if the server allows several
    std::chrono::seconds request_timeout{0}; ///< longest time without any data while the server owes an answer; 0: no
                                             ///< limit
};

} // namespace zoneio
