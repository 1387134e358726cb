// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/decimal.h"

#include "block/base/formatting.h"
#include "block/base/size.h"

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace zoneio {

namespace {

constexpr std::array<uint64_t, 7> powers_of_ten{1, 10, 100, 1000, 10000, 100000, 1000000};

/// `value` in units of its last decimal, rounded half to even like printf. `value * power` is below 2^62; `value` is 0
/// or at least 2^-50.
uint64_t in_last_decimals(double value, uint64_t power) {
    if (value == 0) {
        return 0;
    }
    constexpr unsigned significand_bits = 52;
    constexpr int exponent_bias = 1075; // for a significand read as an integer
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t significand = (bits & ((uint64_t{1} << significand_bits) - 1)) | uint64_t{1} << significand_bits;
    const int exponent = static_cast<int>(bits >> significand_bits) - exponent_bias;
    const unsigned __int128 scaled = static_cast<unsigned __int128>(significand) * power;
    if (exponent >= 0) {
        return static_cast<uint64_t>(scaled << exponent);
    }
    const unsigned __int128 one = static_cast<unsigned __int128>(1) << -exponent;
    const auto units = static_cast<uint64_t>(scaled >> -exponent);
    const unsigned __int128 rest = scaled & (one - 1);
    const bool up = rest > one / 2 || (rest == one / 2 && units % 2 != 0);
    return units + (up ? 1 : 0);
}

void append(fmt::memory_buffer& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

/// Appends `value` >= 0 with so many decimals, none if the first three are zeros.
void append_short(fmt::memory_buffer& out, double value, unsigned decimals) {
    // A cast of more would be undefined.
    if (value >= 0 && value < 0x1p53 && value == static_cast<double>(static_cast<uint64_t>(value))) {
        const fmt::format_int whole(static_cast<uint64_t>(value));
        append(out, {whole.data(), whole.size()});
        return;
    }
    append_fixed(out, value, decimals);
    const size_t point = out.size() - decimals - 1;
    if (std::string_view(out.data() + point, 4) == ".000") {
        out.resize(point);
    }
}

} // namespace

// fmt's conversion is correct for every double, which costs big integers, a format string and ten times the
// instructions.
void append_fixed(fmt::memory_buffer& out, double value, unsigned decimals, size_t width) {
    const uint64_t power = powers_of_ten[decimals];
    const bool in_range = value == 0 || (value >= 0x1p-50 && value * static_cast<double>(power) < 0x1p62);
    if (!in_range || std::bit_cast<int64_t>(value) < 0) {
        append_text(out, "{:0{}.{}f}", value, width, decimals);
        return;
    }
    const uint64_t units = in_last_decimals(value, power);
    const fmt::format_int whole(units / power);
    for (size_t length = whole.size() + 1 + decimals; length < width; length++) {
        out.push_back('0');
    }
    append(out, {whole.data(), whole.size()});
    // Adding the power keeps the zeros after the decimal point.
    const fmt::format_int fraction(power + units % power);
    out.push_back('.');
    append(out, {fraction.data() + 1, fraction.size() - 1});
}

void append_size(fmt::memory_buffer& out, double bytes) {
    struct Unit {
        double size;
        std::string_view name;
    };
    static constexpr std::array<Unit, 6> units{{{0x1p60, " EiB"},
                                                {0x1p50, " PiB"},
                                                {0x1p40, " TiB"},
                                                {0x1p30, " GiB"},
                                                {0x1p20, " MiB"},
                                                {0x1p10, " KiB"}}};
    for (const Unit& unit : units) {
        if (bytes >= unit.size) {
            append_short(out, bytes / unit.size, 3);
            append(out, unit.name);
            return;
        }
    }
    // Below 1 KiB, six decimals are printed and cut if they start with `.000`, whatever follows: scripts match `512
    // bytes`, and the rates of slow requests have this form.
    append_short(out, bytes, 6);
    append(out, " bytes");
}

std::string format_size(double bytes) {
    fmt::memory_buffer out;
    append_size(out, bytes);
    return fmt::to_string(out);
}

} // namespace zoneio
