// SPDX-License-Identifier: GPL-3.0-or-later
//
// How commands read their operands. Each function says what is wrong on stdout and then returns nothing.
#pragma once

#include "block/base/buffer.h"
#include "commands/command.h"

#include <cstdint>
#include <optional>
#include <span>

namespace zoneio {

/// The most bytes that one request moves: the largest int that is a multiple of a sector.
inline constexpr uint64_t max_request_bytes = 2147483136;

/// What is written when nobody says what, and what a read buffer holds before: a device that gives nothing shows it.
inline constexpr uint8_t default_byte = 0xcd;
inline constexpr uint8_t unread_byte = 0xab;

/// An offset, length or count. `shown` is what a message calls it when that is not the word itself.
std::optional<int64_t> parse_size_argument(Session& session, const char* word, const char* shown = nullptr);

/// The same, where a zoned device may be told of in zones (address.h): an offset, from then on in the current zone; a
/// length, which ends with the device where the last zone that it counts is shorter; a number of zones.
std::optional<int64_t> parse_offset(Session& session, const char* word);
std::optional<int64_t> parse_length(Session& session, const char* word, int64_t offset);
std::optional<int64_t> parse_zone_count(Session& session, const char* word);

/// The operands `off len` of a command, bytes; both below 2^63.
struct RangeArgument {
    uint64_t offset;
    uint64_t length;
};
std::optional<RangeArgument> parse_range(Session& session, const char* offset, const char* length);
/// The same where they are all that getopt left; another number of them gives the usage line.
std::optional<RangeArgument> parse_range_operands(Session& session, const Command& command, CommandLine line);

/// A pattern byte (-P): strtol with base 0, 0 to 255.
std::optional<uint8_t> parse_pattern(Session& session, const char* word);

/// The operands `off len [len..]` of a command, bytes.
struct VectorArgument {
    uint64_t offset = 0;
    std::vector<uint64_t> lengths;
    uint64_t total = 0;
};
std::optional<VectorArgument> parse_vector(Session& session, std::span<char*> operands);
/// The same where they are all that getopt left; fewer than two give the usage line.
std::optional<VectorArgument> parse_vector_operands(Session& session, const Command& command, CommandLine line);

/// Is a length no more than one request moves? `word` is what was typed for it, and `unless` what lets it be more.
bool check_request_length(Session& session, uint64_t bytes, const char* word, std::string_view unless = {});
/// Does a range consist of whole sectors?
bool check_sectors(Session& session, const RangeArgument& range);

/// Which memory a request uses.
enum class Sharing {
    none, ///< every byte has its own place
    all,  ///< large requests go over the same memory again and again: all of it has the same content, or none matters
};

/// Builds the iov of a request in `buffer`. ENOMEM, with how much it was to be, when memory is short.
///
/// With Sharing::all a request needs no more than a few MiB, however large it is.
Status make_iov(Session& session, AlignedBuffer& buffer, std::span<const uint64_t> lengths, Sharing sharing, IoVec& iov);

/// Memory that is enough to share for a request of `total` bytes, however its content repeats.
uint64_t shared_bytes(uint64_t total);

/// An iov of these lengths that goes round and round over `room` bytes at `base`.
IoVec cyclic_iov(uint8_t* base, uint64_t room, std::span<const uint64_t> lengths);

/// The begin of the data in a buffer that make_iov filled in.
uint8_t* data_begin(Session& session, AlignedBuffer& buffer);

/// Fills the memory behind an iov that make_iov built, once.
void fill_iov(const IoVec& iov, uint8_t byte);

} // namespace zoneio
