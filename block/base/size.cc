// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/size.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

namespace zoneio {

namespace {

/// log2 of the factor of a size suffix, or -1.
int suffix_shift(char suffix) {
    switch (suffix) {
    case 'b': case 'B': return 0;
    case 'k': case 'K': return 10;
    case 'm': case 'M': return 20;
    case 'g': case 'G': return 30;
    case 't': case 'T': return 40;
    case 'p': case 'P': return 50;
    case 'e': case 'E': return 60;
    default: return -1;
    }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Removes the decimal digits at the start of `text` and returns them.
std::string_view take_digits(std::string_view& text) {
    size_t end = 0;
    while (end < text.size() && is_digit(text[end])) {
        end++;
    }
    const std::string_view digits = text.substr(0, end);
    text.remove_prefix(end);
    return digits;
}

/// value = value * base + digit. False if the result exceeds 64 bits.
bool push_digit(uint64_t& value, unsigned base, unsigned digit) {
    return !__builtin_mul_overflow(value, base, &value) && !__builtin_add_overflow(value, digit, &value);
}

unsigned hex_digit(char c) {
    return is_digit(c) ? static_cast<unsigned>(c - '0')
                       : static_cast<unsigned>(std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
}

ParseError parse_hex(std::string_view digits, uint64_t& value) {
    if (digits.empty()) {
        return ParseError::invalid;
    }
    bool overflow = false;
    uint64_t result = 0;
    for (char c : digits) {
        if (!std::isxdigit(static_cast<unsigned char>(c))) {
            return ParseError::invalid;
        }
        overflow = overflow || !push_digit(result, 16, hex_digit(c));
    }
    value = result;
    return overflow ? ParseError::out_of_range : ParseError::none;
}

/// The digits after the decimal point in units of 2^-64, with the precision of a double, as in QEMU.
unsigned __int128 binary_fraction(std::string_view digits) {
    if (digits.empty()) {
        return 0;
    }
    const std::string text = "0." + std::string(digits);
    return static_cast<unsigned __int128>(strtod(text.c_str(), nullptr) * 0x1p64);
}

/// Fast path: decimal digits that cannot overflow, and at most a suffix. Almost every number has this form.
bool parse_plain_size(std::string_view text, uint64_t& value) {
    constexpr size_t most_digits = 19;
    uint64_t whole = 0;
    size_t end = 0;
    while (end < std::min(text.size(), most_digits) && is_digit(text[end])) {
        whole = whole * 10 + static_cast<unsigned>(text[end++] - '0');
    }
    const int shift = end == text.size() ? 0 : suffix_shift(text[end]);
    if (end == 0 || text.size() > end + 1 || shift < 0 || (whole << shift) >> shift != whole) {
        return false;
    }
    value = whole << shift;
    return true;
}

/// Removes blanks and a sign, which strtoull would accept and users rely on (`+1k`). True if the sign is a minus.
bool take_sign(std::string_view& text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
        text.remove_prefix(1);
    }
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative || text.starts_with('+') ? 1 : 0);
    return negative;
}

/// Error for a number that is negative or whose integer part exceeds 64 bits: out_of_range if the text is
/// otherwise well-formed, else invalid. A fraction without integer part (`.5`) is well-formed.
ParseError refuse_whole(std::string_view whole_digits, std::string_view rest) {
    if (whole_digits.empty() && rest.starts_with('.')) {
        rest.remove_prefix(1);
        return !take_digits(rest).empty() && rest.empty() ? ParseError::out_of_range : ParseError::invalid;
    }
    return whole_digits.empty() || !rest.empty() ? ParseError::invalid : ParseError::out_of_range;
}

/// (whole + fraction / 2^64) * 2^shift.
ParseError scale(uint64_t whole, unsigned __int128 fraction, int shift, uint64_t& value) {
    const bool is_fractional = fraction != 0 && fraction >> 64 == 0;
    if (is_fractional && shift == 0) {
        return ParseError::invalid;
    }
    if (shift > 0 && (whole >> (64 - shift)) != 0) {
        return ParseError::out_of_range;
    }
    const unsigned __int128 scaled = fraction << shift;
    const uint64_t half = static_cast<uint64_t>(scaled >> 63) & 1;
    uint64_t result = 0;
    if (__builtin_add_overflow(whole << shift, static_cast<uint64_t>(scaled >> 64) + half, &result)) {
        return ParseError::out_of_range;
    }
    value = result;
    return ParseError::none;
}

/// Parses a number of any base with strtol or strtoull. Newer C libraries accept `0b101`; QEMU built with them does
/// too.
template <typename T, T (*Convert)(const char*, char**, int)>
ParseError convert(const char* text, T& value) {
    const char* digits = text + strspn(text, " \t\n\v\f\r");
    const bool negative = *digits == '-';
    digits += *digits == '+' || *digits == '-' ? 1 : 0;
    const bool is_binary = digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B') && (digits[2] == '0' || digits[2] == '1');
    char* end = nullptr;
    errno = 0;
    if (is_binary) {
        value = Convert(digits + 2, &end, 2);
        value = negative ? T{0} - value : value;
    } else {
        value = Convert(text, &end, 0);
    }
    if (end == text || *end != '\0') {
        return ParseError::invalid;
    }
    return errno == ERANGE ? ParseError::out_of_range : ParseError::none;
}

unsigned long to_unsigned(const char* text, char** end, int base) {
    return strtoul(text, end, base);
}

long to_signed(const char* text, char** end, int base) {
    return strtol(text, end, base);
}

} // namespace

ParseError parse_size(std::string_view text, uint64_t& value) {
    if (parse_plain_size(text, value)) {
        return ParseError::none;
    }
    const bool negative = take_sign(text);
    if (text.starts_with("0x") || text.starts_with("0X")) {
        return negative ? ParseError::invalid : parse_hex(text.substr(2), value);
    }
    uint64_t whole = 0;
    bool overflow = false;
    const std::string_view whole_digits = take_digits(text);
    for (const char c : whole_digits) {
        overflow = overflow || !push_digit(whole, 10, static_cast<unsigned>(c - '0'));
    }
    if (negative || overflow) {
        return refuse_whole(whole_digits, text);
    }
    std::string_view fraction_digits;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction_digits = take_digits(text);
    }
    const int shift = text.empty() ? 0 : suffix_shift(text.front());
    if ((whole_digits.empty() && fraction_digits.empty()) || shift < 0 || text.size() > 1) {
        return ParseError::invalid;
    }
    return scale(whole, binary_fraction(fraction_digits), shift, value);
}

ParseError parse_size_int64(std::string_view text, int64_t& value) {
    uint64_t wide = 0;
    const ParseError error = parse_size(text, wide);
    if (error != ParseError::none) {
        return error;
    }
    if (wide > static_cast<uint64_t>(INT64_MAX)) {
        return ParseError::out_of_range;
    }
    value = static_cast<int64_t>(wide);
    return ParseError::none;
}

ParseError parse_number(std::string_view text, uint64_t& value) {
    return convert<uint64_t, to_unsigned>(std::string(text).c_str(), value);
}

ParseError parse_long(const char* text, long& value) {
    return convert<long, to_signed>(text, value);
}

} // namespace zoneio
