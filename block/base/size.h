// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zoneio {

/// Why a number was not accepted.
enum class ParseError { none, invalid, out_of_range };

/// The largest length of an image in bytes: 1 GiB of room is left below 2^63 for aligning requests.
inline constexpr int64_t max_image_length = INT64_MAX - (int64_t{1} << 30) + 1;

/// Parses a size or offset as every command and size option takes it: decimal digits with an optional
/// fraction and one suffix (b k m g t p e, either case, powers of 1024), or 0x and hex digits with neither.
/// A negative whole number is out_of_range, like one of 2^64 or more.
ParseError parse_size(std::string_view text, uint64_t& value);

/// The same for an int64_t: more than 2^63-1 is out_of_range.
ParseError parse_size_int64(std::string_view text, int64_t& value);

/// A plain number as driver options take it: strtoull with base 0, no suffix, a negative one wraps around.
ParseError parse_number(std::string_view text, uint64_t& value);

/// A plain number as pattern bytes and `sleep` take it: strtol with base 0, no suffix.
ParseError parse_long(const char* text, long& value);

/// `4 KiB`, `1.500 GiB`, `512 bytes`: three decimals, dropped when zero; the unit changes at each 1024.
std::string format_size(double bytes);

} // namespace zoneio
