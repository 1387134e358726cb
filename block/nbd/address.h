// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where an NBD server is: the names and options that say so.
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zoneio {

/// The address of a server, `server.*` of the driver's options.
struct NbdAddress {
    enum class Type : uint8_t { inet, local, vsock, descriptor };

    Type type = Type::inet;
    std::string host; ///< inet: a name or an address; vsock: the context identifier (cid)
    std::string port; ///< inet, vsock: a number or the name of a service
    std::string path; ///< local: of the socket; descriptor: its number
    bool abstract = false; ///< local: the path is a name in the abstract namespace of Linux
    bool tight = true;     ///< abstract: the name ends where its text does
    std::optional<bool> ipv4; ///< inet: may it be used? Neither set: both
    std::optional<bool> ipv6;
    bool numeric = false;    ///< inet: host and port are numbers, nothing is looked up
    bool keep_alive = false; ///< inet

    /// `HOST:PORT`, the path, or the descriptor's number, as errors name it.
    std::string text() const;
};

/// Sets the options that a name stands for. Forms: nbd://HOST[:PORT][/EXPORT] (nbd+tcp:), nbd+unix:///[EXPORT]?socket=PATH,
/// nbd:HOST:PORT[:exportname=EXPORT], nbd:unix:PATH[:exportname=EXPORT]. EINVAL with the reason for others, and for
/// options that say it a second time.
Status parse_nbd_name(const std::string& name, Options& options);

/// Takes server.* and the older path, host and port. EINVAL with the reason where they are incomplete or contradict.
Result<NbdAddress> take_nbd_address(Options& options);

/// The name that stands for an address and an export; empty where none does.
std::string nbd_name(const NbdAddress& address, const std::string& export_name);

} // namespace zoneio
