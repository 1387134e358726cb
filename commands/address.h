// SPDX-License-Identifier: GPL-3.0-or-later
//
// Offsets and lengths told in zones. Where a zoned device is open, a word that is no size may be
//
//     offset   5z          where zone 5 begins
//              5z+4k       4 KiB further
//              5z+wp       the write pointer of zone 5; also 5z+wp-4k, 5z+wp+4k
//              wp          the write pointer of the zone that the offset before was in; also wp-4k, wp+4k
//     length   3z          three zones; also 3z+4k, 3z-4k
//     count    3z          three
//
// Everywhere else such a word is what it was before: no number.
#pragma once

#include "block/base/size.h"
#include "block/base/status.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace zoneio {

class Session;

/// An address as it is written.
struct Address {
    std::optional<uint64_t> zone; ///< `5z`
    bool pointer = false;         ///< `wp`
    uint64_t distance = 0;        ///< `+4k` or `-4k`, bytes
    bool backwards = false;       ///< `-`

    /// Nothing when the text is no address.
    static std::optional<Address> parse(std::string_view text);
};

/// What a word is for.
enum class AddressUse { offset, length, count };

/// Is the open device zoned? Nothing else takes addresses.
bool takes_addresses(Session& session);

/// The address that `text` is written as, where they are taken.
std::optional<Address> find_address(Session& session, std::string_view text);

/// The bytes (for a count: the zones) that an address stands for; asks the device where a write pointer is.
///
/// EINVAL with the reason: no such zone, one without a write pointer, no zone named before, a `wp` where a length or
/// count is wanted, a result below 0 or above 2^63-1; else what the device says.
Result<int64_t> resolve_address(Session& session, const Address& address, AddressUse use);

} // namespace zoneio
