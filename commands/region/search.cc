// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/region/search.h"

#include <cctype>
#include <cstring>
#include <string_view>

namespace zoneio {

namespace {

/// Rough frequency of a byte value on disks: 0 is rare.
unsigned frequency(unsigned char byte) {
    if (byte == 0) {
        return 9;
    }
    if (byte == 0xff || byte == ' ') {
        return 8;
    }
    constexpr std::string_view frequent = "etaoinsrhldcu\n";
    if (frequent.find(static_cast<char>(byte)) != std::string_view::npos) {
        return 7;
    }
    if (islower(byte) != 0) {
        return 5;
    }
    if (isdigit(byte) != 0 || byte < 0x10) {
        return 4;
    }
    return isprint(byte) != 0 ? 3 : 1;
}

} // namespace

ByteSearch::ByteSearch(std::string bytes)
    : bytes_(std::move(bytes)), is_zero_(bytes_.find_first_not_of('\0') == std::string::npos) {
    for (size_t i = 1; i < bytes_.size(); i++) {
        if (frequency(static_cast<unsigned char>(bytes_[i])) < frequency(static_cast<unsigned char>(bytes_[rare_]))) {
            rare_ = i;
        }
    }
}

const uint8_t* ByteSearch::find(const uint8_t* begin, const uint8_t* end) const {
    const size_t size = bytes_.size();
    if (static_cast<size_t>(end - begin) < size) {
        return nullptr;
    }
    // memchr(3) for the rare byte is several times as fast as memmem(3), unless the byte is frequent in this data.
    constexpr size_t patience = 16;
    constexpr size_t bytes_a_try = 64;
    const uint8_t* const last = end - size + rare_; // position of the rare byte in the last possible match
    const auto byte = static_cast<unsigned char>(bytes_[rare_]);
    size_t tries = 0;
    for (const uint8_t* at = begin + rare_; at <= last; at++) {
        at = static_cast<const uint8_t*>(memchr(at, byte, static_cast<size_t>(last - at) + 1));
        if (at == nullptr) {
            return nullptr;
        }
        const uint8_t* const start = at - rare_;
        if (memcmp(start, bytes_.data(), size) == 0) {
            return start;
        }
        if (++tries > patience + static_cast<size_t>(start - begin) / bytes_a_try) {
            return static_cast<const uint8_t*>(memmem(start + 1, static_cast<size_t>(end - start) - 1, bytes_.data(), size));
        }
    }
    return nullptr;
}

} // namespace zoneio
