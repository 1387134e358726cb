// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parsers of operands. Each function reports an error on stdout and then returns nothing.
#pragma once

#include "block/base/buffer.h"
#include "commands/command.h"

#include <cstdint>
#include <optional>
#include <span>

namespace zoneio {

/// Longest request in bytes: the largest int that is a multiple of a sector.
inline constexpr uint64_t max_request_bytes = 2147483136;

/// Byte of a write without a pattern; byte in a read buffer before the read, visible if a device returns no data.
inline constexpr uint8_t default_byte = 0xcd;
inline constexpr uint8_t unread_byte = 0xab;

/// Parses an offset, length or count. `shown`: the word in messages, if it is not `word`.
std::optional<int64_t> parse_size_argument(Session& session, const char* word, const char* shown = nullptr);

/// Likewise; on a zoned device, addresses in zones are accepted (address.h). parse_offset() sets the current zone. A length
/// in zones ends with the device if the last zone is shorter.
std::optional<int64_t> parse_offset(Session& session, const char* word);
std::optional<int64_t> parse_length(Session& session, const char* word, int64_t offset);
std::optional<int64_t> parse_zone_count(Session& session, const char* word);

/// The operands `off len` of a command, in bytes; both below 2^63.
struct RangeArgument {
    uint64_t offset;
    uint64_t length;
};
std::optional<RangeArgument> parse_range(Session& session, const char* offset, const char* length);
/// Likewise for all operands of a line; any number other than two is reported with the usage line.
std::optional<RangeArgument> parse_range_operands(Session& session, const Command& command, std::span<char*> operands);

/// A pattern byte (-P): strtol with base 0, 0 to 255.
std::optional<uint8_t> parse_pattern(Session& session, const char* word);

/// The operands `off len [len..]` of a command, in bytes.
struct VectorArgument {
    uint64_t offset = 0;
    std::vector<uint64_t> lengths;
    uint64_t total = 0;
};
std::optional<VectorArgument> parse_vector(Session& session, std::span<char*> operands);
/// Likewise for all operands of a line; fewer than two are reported with the usage line.
std::optional<VectorArgument> parse_vector_operands(Session& session, const Command& command, std::span<char*> operands);

/// Checks that one request can transfer a length. `word`: the length as typed; `unless`: the option that allows more.
bool check_request_length(Session& session, uint64_t bytes, const char* word, std::string_view unless = {});
/// Checks that a range consists of whole sectors.
bool check_sectors(Session& session, const RangeArgument& range);

/// How a request uses memory.
enum class Sharing {
    none, ///< every byte has its own memory
    all,  ///< large requests repeat one buffer, because all data is alike or not needed
};

/// Builds the iov of a request in `buffer`. ENOMEM, with the size, if memory runs out.
///
/// With Sharing::all a request needs no more than a few MiB, however large it is.
Status make_iov(Session& session, AlignedBuffer& buffer, std::span<const uint64_t> lengths, Sharing sharing, IoVec& iov);

/// Size of a shared buffer that is enough for a request of `total` bytes.
uint64_t shared_bytes(uint64_t total);

/// An iov of these lengths that repeats the `room` bytes at `base`.
IoVec cyclic_iov(uint8_t* base, uint64_t room, std::span<const uint64_t> lengths);

/// Start of the data in a buffer that make_iov() has set up.
uint8_t* data_begin(Session& session, AlignedBuffer& buffer);

/// Fills the memory of an iov that make_iov() has built.
void fill_iov(const IoVec& iov, uint8_t byte);

} // namespace zoneio
