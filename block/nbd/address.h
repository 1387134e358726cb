// SPDX-License-Identifier: GPL-3.0-or-later
//
// Addresses of NBD servers, from names and options.
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zoneio {

/// Address of a server: the options `server.*` of the driver.
struct NbdAddress {
    enum class Type : uint8_t { inet, local, vsock, descriptor };

    Type type = Type::inet;
    std::string host; ///< inet: host name or address; vsock: context identifier (cid)
    std::string port; ///< inet, vsock: number, or name of a service
    std::string path; ///< local: path of the socket; descriptor: its number
    bool abstract = false; ///< local: the path is a name in the abstract namespace of Linux
    bool tight = true;     ///< abstract: the name has no padding after its text
    std::optional<bool> ipv4; ///< inet: whether this protocol may be used. If neither is set, both may
    std::optional<bool> ipv6;
    bool numeric = false;    ///< inet: host and port are numbers, without name lookup
    bool keep_alive = false; ///< inet

    /// The address for error texts: `HOST:PORT`, the path, or the number of the descriptor.
    std::string text() const;
};

/// Sets the options for a name. Forms: nbd://HOST[:PORT][/EXPORT] (nbd+tcp:), nbd+unix:///[EXPORT]?socket=PATH,
/// nbd:HOST:PORT[:exportname=EXPORT], nbd:unix:PATH[:exportname=EXPORT]. EINVAL, with the reason, for other forms, and
/// if the options contain an address or export already.
Status parse_nbd_name(const std::string& name, Options& options);

/// Takes out server.* or the older options path, host and port. EINVAL, with the reason, if they are incomplete or
/// contradictory.
Result<NbdAddress> take_nbd_address(Options& options);

/// The name for an address and an export; empty if there is none.
std::string nbd_name(const NbdAddress& address, const std::optional<std::string>& export_name);

} // namespace zoneio
