// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/region/range.h"

#include "block/base/size.h"
#include "commands/address.h"
#include "commands/arguments.h"
#include "commands/why/why.h"

#include <algorithm>

namespace zoneio {

namespace {

constexpr std::string_view whole = "all";

/// True for the address of a whole zone, without a distance.
bool is_zone(Session& session, const char* word) {
    const std::optional<Address> address = takes_addresses(session) ? find_address(session, word) : std::nullopt;
    return address && address->zone && !address->pointer && address->distance == 0;
}

std::optional<uint64_t> parse_start(Session& session, const char* word) {
    if (word == whole) {
        return 0;
    }
    const std::optional<int64_t> offset = parse_offset(session, word);
    return offset ? std::optional(static_cast<uint64_t>(*offset)) : std::nullopt;
}

std::optional<Region> outside(Session& session, const Command& command, const std::string& text) {
    command_failed(session, command, Status::error(EIO, text).because(Cause::outside_image));
    return std::nullopt;
}

} // namespace

std::optional<Region> parse_region(Session& session, const Command& command, std::span<char* const> operands, uint64_t usual) {
    const bool is_whole = !operands.empty() && operands[0] == whole;
    if (operands.size() > (is_whole ? 1 : 2)) {
        usage_error(session, command);
        return std::nullopt;
    }
    const Result<uint64_t> size = session.backend().length();
    if (!size.ok()) {
        long_command_failed(session, command, size.status());
        return std::nullopt;
    }
    const std::optional<uint64_t> offset = operands.empty() ? 0 : parse_start(session, operands[0]);
    if (!offset) {
        return std::nullopt;
    }
    if (*offset > *size) {
        return outside(session, command, fmt::format("offset {} is after the end of the image, which is {} bytes long", *offset, *size));
    }
    const uint64_t room = *size - *offset;
    if (is_whole || (operands.size() == 2 && operands[1] == whole)) {
        return Region{*offset, room};
    }
    if (operands.size() < 2 && !(operands.size() == 1 && is_zone(session, operands[0]))) {
        return Region{*offset, std::min(room, usual)};
    }
    if (operands.size() == 1) {
        return Region{*offset, std::min(room, session.backend().limits().zone_size)};
    }
    const std::optional<int64_t> length = parse_length(session, operands[1], static_cast<int64_t>(*offset));
    if (!length) {
        return std::nullopt;
    }
    if (static_cast<uint64_t>(*length) > room) {
        return outside(session, command, fmt::format("{} bytes at offset {} end after the image, which is {} bytes long", *length, *offset, *size));
    }
    return Region{*offset, static_cast<uint64_t>(*length)};
}

std::string place_text(Session& session, uint64_t offset) {
    const Limits& limits = session.backend().limits();
    const bool zoned = limits.zoned != ZonedModel::none && limits.zone_size != 0;
    return fmt::format("{} ({:#x}{})", offset, offset, zoned ? ", " + zone_address(limits, offset) : "");
}

std::string bytes_text(uint64_t bytes) {
    return bytes < 1024 ? fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s")
                        : fmt::format("{} bytes ({})", bytes, format_size(bytes));
}

} // namespace zoneio
