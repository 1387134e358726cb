// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/address.h"

#include "block/base/size.h"
#include "commands/session.h"
#include "commands/text/zone_words.h"

#include <charconv>

namespace zoneio {

namespace {

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

/// Parses `5z` at the start of the text, and removes it.
bool take_zone(std::string_view& text, uint64_t& zone) {
    std::string_view rest = text;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), zone);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (error != std::errc() || !(take(rest, "z") || take(rest, "Z"))) {
        return false;
    }
    text = rest;
    return true;
}

/// Parses `+4k` or `-4k`, the rest of the text.
bool take_distance(std::string_view text, Address& address) {
    address.backwards = text.starts_with('-');
    text.remove_prefix(1);
    const bool is_number = !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
    return is_number && parse_size(text, address.distance) == ParseError::none;
}

Status refused(std::string text) {
    return Status::invalid(std::move(text));
}

/// Write pointer of a zone, in bytes from the start of the device.
Result<uint64_t> write_pointer_of(BlockBackend& backend, uint64_t zone) {
    const Limits& limits = backend.limits();
    if (zone >= limits.nr_zones) {
        return refused(fmt::format("zone {} does not exist; the last zone is {}", zone, limits.nr_zones - 1));
    }
    ZoneDescriptor found;
    const Result<uint64_t> count =
        backend.zone_report(zone * limits.zone_size, 1, [&](const ZoneDescriptor& shown) { found = shown; });
    if (!count.ok()) {
        return count.status();
    }
    if (*count == 0 || !has_write_pointer(found)) {
        return refused(fmt::format("zone {} is {} and has no write pointer", zone, state_text(found.state)));
    }
    return found.write_pointer;
}

Result<uint64_t> base_of(Session& session, const Address& address, AddressUse use) {
    BlockBackend& backend = session.backend();
    if (!address.pointer) {
        uint64_t bytes = 0;
        const uint64_t unit = use == AddressUse::count ? 1 : backend.limits().zone_size;
        if (__builtin_mul_overflow(*address.zone, unit, &bytes)) {
            return refused("argument too large");
        }
        return bytes;
    }
    if (use != AddressUse::offset) {
        return refused("a write pointer is not a length");
    }
    const std::optional<uint64_t> zone = address.zone ? address.zone : session.current_zone;
    if (!zone) {
        return refused("wp requires a zone named before; 5z+wp is the write pointer of zone 5");
    }
    return write_pointer_of(backend, *zone);
}

} // namespace

std::optional<Address> Address::parse(std::string_view text) {
    Address address;
    uint64_t zone = 0;
    if (take_zone(text, zone)) {
        address.zone = zone;
        address.pointer = take(text, "+wp");
    } else if (take(text, "wp")) {
        address.pointer = true;
    } else {
        return std::nullopt;
    }
    if (text.empty()) {
        return address;
    }
    const bool has_distance = text[0] == '+' || text[0] == '-';
    return has_distance && take_distance(text, address) ? std::optional(address) : std::nullopt;
}

bool takes_addresses(Session& session) {
    return session.is_open() && session.backend().limits().zoned != ZonedModel::none;
}

std::optional<Address> find_address(Session& session, std::string_view text) {
    return takes_addresses(session) ? Address::parse(text) : std::nullopt;
}

Result<int64_t> resolve_address(Session& session, const Address& address, AddressUse use) {
    const Result<uint64_t> base = base_of(session, address, use);
    if (!base.ok()) {
        return base.status();
    }
    uint64_t value = 0;
    if (address.backwards ? address.distance > *base : __builtin_add_overflow(*base, address.distance, &value)) {
        return refused(address.backwards ? "the address is before the start of the device" : "argument too large");
    }
    value = address.backwards ? *base - address.distance : value;
    if (value > INT64_MAX) {
        return refused("argument too large");
    }
    return static_cast<int64_t>(value);
}

} // namespace zoneio
