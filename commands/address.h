// SPDX-License-Identifier: GPL-3.0-or-later
//
// Addresses: offsets, lengths and counts in zones. While a zoned device is open, a word that is not a size may be
//
//     offset   5z          start of zone 5
//              5z+4k       4 KiB after it
//              5z+wp       write pointer of zone 5; also 5z+wp-4k, 5z+wp+4k
//              wp          write pointer of the current zone, that of the last offset; also wp-4k, wp+4k
//     length   3z          three zones; also 3z+4k, 3z-4k
//     count    3z          three
//
// Otherwise such a word is not a number.
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace zoneio {

class Session;

/// An address as written.
struct Address {
    std::optional<uint64_t> zone; ///< `5z`
    bool pointer = false;         ///< `wp`
    uint64_t distance = 0;        ///< `4k` in `+4k` or `-4k`, in bytes
    bool backwards = false;       ///< the distance is `-`

    /// Empty if the text is not an address.
    static std::optional<Address> parse(std::string_view text);
};

/// Operand for which an address is used.
enum class AddressUse { offset, length, count };

/// True if the open device is zoned; otherwise addresses are not accepted.
bool takes_addresses(Session& session);

/// The address in `text`. Empty if it is none, or if addresses are not accepted.
std::optional<Address> find_address(Session& session, std::string_view text);

/// The value of an address in bytes; for a count, in zones. Reads the write pointer from the device if needed.
///
/// EINVAL, with the reason: no such zone, a zone without a write pointer, no current zone, `wp` as a length or count, a
/// result below 0 or above 2^63-1. Otherwise errors of the device.
Result<int64_t> resolve_address(Session& session, const Address& address, AddressUse use);

} // namespace zoneio
