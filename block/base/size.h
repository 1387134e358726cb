// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <concepts>
#include <string>
#include <string_view>

namespace zoneio {

/// Reason why a number was not accepted.
enum class ParseError { none, invalid, out_of_range };

/// Bytes in a sector, the unit in which Linux, virtio and qemu-io count. A device's logical blocks may be larger.
inline constexpr uint64_t sector_size = 512;

/// Largest length of an image in bytes: 1 GiB below 2^63, to leave room for aligning requests.
inline constexpr int64_t max_image_length = INT64_MAX - (int64_t{1} << 30) + 1;

/// Parses a size or offset as commands and size options take it: decimal digits with an optional fraction and an
/// optional suffix (b k m g t p e in either case, powers of 1024), or 0x and hexadecimal digits. Whole numbers below 0
/// or above 2^64-1 are out_of_range.
ParseError parse_size(std::string_view text, uint64_t& value);

/// parse_size() for int64_t: values above 2^63-1 are out_of_range.
ParseError parse_size_int64(std::string_view text, int64_t& value);

/// Parses a plain number as driver options take it: strtoull with base 0 and no suffix. A negative number wraps around.
ParseError parse_number(std::string_view text, uint64_t& value);

/// Parses a plain number as pattern bytes and `sleep` take it: strtol with base 0 and no suffix.
ParseError parse_long(const char* text, long& value);

/// `4 KiB`, `1.500 GiB`, `512 bytes`: three decimals, omitted if zero. The unit changes at powers of 1024.
std::string format_size(double bytes);

std::string format_size(std::integral auto bytes) {
    return format_size(static_cast<double>(bytes));
}

} // namespace zoneio
