// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/arguments.h"

#include "block/base/size.h"
#include "commands/address.h"

#include <algorithm>
#include <climits>
#include <cstring>

namespace zoneio {

namespace {

/// Offset of a buffer from an aligned address with -m, in bytes.
constexpr size_t misalignment = 16;

/// Size of the buffer that large shared requests repeat: small enough for a cache, large enough for one system call to
/// transfer 2 GiB.
constexpr uint64_t smallest_shared = 256U << 10;
constexpr uint64_t most_segments = IOV_MAX - 2; // room for the two partial blocks of an unaligned request

/// A number given in zones. Without `address`, the plain number, or an error.
std::optional<int64_t> parse_in_zones(Session& session, const char* word, const std::optional<Address>& address,
                                      AddressUse use) {
    if (!address) {
        return parse_size_argument(session, word);
    }
    const Result<int64_t> value = resolve_address(session, *address, use);
    if (!value.ok()) {
        session.out().complain({FailureKind::number, word}, value.status(), "Parsing error: {} -- {}\n", value.status().message(), word);
        return std::nullopt;
    }
    return *value;
}

std::optional<Address> find_address(Session& session, const char* word) {
    return word != nullptr ? find_address(session, std::string_view(word)) : std::nullopt;
}

} // namespace

std::optional<int64_t> parse_size_argument(Session& session, const char* word, const char* shown) {
    int64_t value = 0;
    const ParseError error = word == nullptr ? ParseError::invalid : parse_size_int64(word, value);
    if (error == ParseError::none) {
        return value;
    }
    const bool too_large = error == ParseError::out_of_range;
    if (shown == nullptr) {
        shown = word != nullptr ? word : "(null)";
    }
    session.out().complain({FailureKind::number, word != nullptr ? word : ""}, Status::from_errno(too_large ? ERANGE : EINVAL),
                           "Parsing error: {} -- {}\n",
                           too_large ? "argument too large" : "non-numeric argument, or extraneous/unrecognized suffix",
                           shown);
    return std::nullopt;
}

std::optional<int64_t> parse_offset(Session& session, const char* word) {
    if (!takes_addresses(session)) {
        return parse_size_argument(session, word);
    }
    const std::optional<int64_t> offset = parse_in_zones(session, word, find_address(session, word), AddressUse::offset);
    if (offset) {
        session.current_zone = static_cast<uint64_t>(*offset) / session.backend().limits().zone_size;
    }
    return offset;
}

std::optional<int64_t> parse_length(Session& session, const char* word, int64_t offset) {
    if (!takes_addresses(session)) {
        return parse_size_argument(session, word);
    }
    const std::optional<Address> address = find_address(session, word);
    const std::optional<int64_t> length = parse_in_zones(session, word, address, AddressUse::length);
    if (!address || !length) {
        return length;
    }
    const Result<uint64_t> end = session.backend().length();
    const int64_t room = end.ok() ? static_cast<int64_t>(*end) - offset : 0;
    const auto zone_size = static_cast<int64_t>(session.backend().limits().zone_size);
    const bool ends_in_last_zone = room > 0 && *length > room && *length - room < zone_size;
    return ends_in_last_zone ? room : *length;
}

std::optional<int64_t> parse_zone_count(Session& session, const char* word) {
    return parse_in_zones(session, word, find_address(session, word), AddressUse::count);
}

std::optional<RangeArgument> parse_range(Session& session, const char* offset, const char* length) {
    const std::optional<int64_t> begin = parse_offset(session, offset);
    const std::optional<int64_t> count = begin ? parse_length(session, length, *begin) : std::nullopt;
    if (!count) {
        return std::nullopt;
    }
    return RangeArgument{static_cast<uint64_t>(*begin), static_cast<uint64_t>(*count)};
}

std::optional<RangeArgument> parse_range_operands(Session& session, const Command& command, std::span<char*> operands) {
    if (operands.size() != 2) {
        usage_error(session, command);
        return std::nullopt;
    }
    return parse_range(session, operands[0], operands[1]);
}

std::optional<uint8_t> parse_pattern(Session& session, const char* word) {
    long value = 0;
    const ParseError error = parse_long(word, value);
    if (error != ParseError::none || value < 0 || value > UINT8_MAX) {
        session.out().complain({FailureKind::pattern, word}, "{} is not a valid pattern byte\n", word);
        return std::nullopt;
    }
    return static_cast<uint8_t>(value);
}

std::optional<VectorArgument> parse_vector(Session& session, std::span<char*> operands) {
    const std::optional<int64_t> offset = parse_offset(session, operands.empty() ? nullptr : operands[0]);
    if (!offset) {
        return std::nullopt;
    }
    VectorArgument vector;
    vector.offset = static_cast<uint64_t>(*offset);
    for (const char* word : operands.subspan(1)) {
        const std::optional<int64_t> value = parse_length(session, word, *offset);
        if (!value) {
            return std::nullopt;
        }
        const auto length = static_cast<uint64_t>(*value);
        if (length > max_request_bytes) {
            session.out().complain({FailureKind::number, word}, Status::from_errno(E2BIG), "Argument '{}' exceeds maximum size {}\n", word, max_request_bytes);
            return std::nullopt;
        }
        if (length > max_request_bytes - vector.total) {
            session.out().complain({FailureKind::number, word}, Status::from_errno(E2BIG),
                                   "The total number of bytes exceed the maximum size {}\n", max_request_bytes);
            return std::nullopt;
        }
        vector.lengths.push_back(length);
        vector.total += length;
    }
    return vector;
}

std::optional<VectorArgument> parse_vector_operands(Session& session, const Command& command, std::span<char*> operands) {
    if (operands.size() < 2) {
        usage_error(session, command);
        return std::nullopt;
    }
    return parse_vector(session, operands);
}

bool check_request_length(Session& session, uint64_t bytes, const char* word, std::string_view unless) {
    if (bytes <= max_request_bytes) {
        return true;
    }
    session.out().complain({FailureKind::number, word}, Status::from_errno(E2BIG), "length cannot exceed {}{}, given {}\n", max_request_bytes, unless, word);
    return false;
}

bool check_sectors(Session& session, const RangeArgument& range) {
    for (const auto& [value, name] : {std::pair(range.offset, "offset"), std::pair(range.length, "count")}) {
        if (value % sector_size != 0) {
            session.out().complain("{} is not a sector-aligned value for '{}'\n", value, name);
            return false;
        }
    }
    return true;
}

Status make_iov(Session& session, AlignedBuffer& buffer, std::span<const uint64_t> lengths, Sharing sharing, IoVec& iov) {
    uint64_t total = 0;
    for (const uint64_t length : lengths) {
        total += length;
    }
    const bool share = sharing == Sharing::all && total > smallest_shared;
    const uint64_t room = share ? shared_bytes(total) : total;
    if (!buffer.reserve(room + misalignment)) {
        return Status::error(ENOMEM, fmt::format("cannot allocate {} bytes of memory for the data", room));
    }
    iov = cyclic_iov(data_begin(session, buffer), room, lengths);
    return {};
}

uint64_t shared_bytes(uint64_t total) {
    const uint64_t needed = (total + most_segments - 1) / most_segments;
    const uint64_t page = AlignedBuffer::default_alignment;
    return std::max(smallest_shared, (needed + page - 1) / page * page);
}

IoVec cyclic_iov(uint8_t* base, uint64_t room, std::span<const uint64_t> lengths) {
    IoVec iov;
    uint64_t position = 0;
    for (uint64_t length : lengths) {
        do {
            const uint64_t part = std::min(length, room - position);
            iov.push_back(base + position, part);
            length -= part;
            position += part;
            position = position == room ? 0 : position;
        } while (length > 0);
    }
    return iov;
}

uint8_t* data_begin(Session& session, AlignedBuffer& buffer) {
    return buffer.data() + (session.misalign ? misalignment : 0);
}

void fill_iov(const IoVec& iov, uint8_t byte) {
    if (iov.count() == 0) {
        return;
    }
    const uint8_t* end = nullptr;
    for (const iovec& segment : iov.segments()) {
        auto* const base = static_cast<uint8_t*>(segment.iov_base);
        if (base >= end) {
            memset(base, byte, segment.iov_len);
            end = base + segment.iov_len;
        }
    }
}

} // namespace zoneio
